// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "history_options.hpp"

#include <fmt/core.h>

#include "base/choice_option.hpp"
#include "base/local_time.hpp"
#include "base/number_option.hpp"
#include "base/time_format.hpp"
#include "history/history_names.hpp"
#include "model/request.hpp"
#include "selection_options.hpp"

namespace xdp_count {
namespace {

CLI::Option* add_time(CLI::App& app, const char* name, std::optional<std::int64_t>& time,
                      std::int64_t now, const std::string& help) {
  return app
      .add_option_function<std::string>(
          name, [&time, now](const std::string& text) { time = parse_time(text, now); }, help)
      ->check([now](const std::string& text) {
        return parse_time(text, now) ? "" : fmt::format("'{}' is no time: {}", text, time_forms);
      })
      ->option_text("TIME");
}

void add_step(CLI::App& command, HistoryStep& step) {
  add_choice(
      command, "--step", step, history_step_names,
      "How long each line is of: as it was recorded, ten minutes, an hour or a day of UTC; auto "
      "is the finest that is no more than 400 lines  [auto]");
}

}  // namespace

HistoryArguments::HistoryArguments(CLI::App& history) : now_(unix_time_ms()), history_(history) {
  history
      .add_option("--file", options_.path,
                  fmt::format("The file that a hub keeps  [{}]", default_history_path))
      ->option_text("PATH");
  auto* at = add_time(history, "--at", at_, now_,
                      "The moment that is asked for: what was recorded with it in one");
  add_time(history, "--from", from_, now_, "The beginning of the time that is asked for  [-24h]")
      ->excludes(at);
  add_time(history, "--to", to_, now_, "The end of it  [now]")->excludes(at);
  history.require_subcommand(0, 1);

  top_ = history.add_subcommand("top", "The rows that had most");
  add_number(*top_, "-n", options_.selection.top, std::size_t{0}, max_top, "How many rows  [10]");
  add_choice(*top_, "--by", options_.selection.by_bytes, history_order_names,
             "What to sort by, highest first  [packets]");
  add_filters(*top_, options_.selection.prefix, options_.selection.family);
  add_group(*top_, group_bits_);
  row_ = history.add_subcommand("row", "What one row had, and when");
  row_->add_option_function<std::string>(
          "ADDRESS", [this](const std::string& text) { options_.row = parse_typed_prefix(text); },
          "An address, or a network that is counted as one; of pairs, those that have it at one "
          "end")
      ->check(check_prefix)
      ->required()
      ->option_text(" ");
  add_step(*row_, options_.step);
  totals_ = history.add_subcommand("totals", "How many frames of each class there were, and when");
  add_step(*totals_, options_.step);
  gaps_ = history.add_subcommand("gaps", "When nobody recorded");
  for (CLI::App* command : {top_, row_, totals_, gaps_})
    command->group("Commands")
        ->footer(
            "--file PATH, --at, --from, --to TIME, -i IFACE, --format and --json go here too:\n"
            "xdp-countctl history --help explains them.");
  history.footer(
      "A TIME is local: 03:12, the last that has passed, 2026-11-20, \"2026-11-20\n"
      "03:12\", now, or ago: -90m, -2h, -7d; or with its zone, 2026-11-20T03:12:30Z.\n"
      "-i IFACE, for one agent, --format table|json|csv and --json go here too:\n"
      "xdp-countctl --help explains them.\n"
      "xdp-countctl history COMMAND --help lists a command's own options.");
}

std::variant<HistoryOptions, std::string> HistoryArguments::take(const std::string& agent) {
  using Kind = HistoryQuestion::Kind;
  if (history_.get_subcommands().empty())
    return "a command is missing: history top, row ADDRESS, totals or gaps";
  options_.kind = *top_ ? Kind::top : *row_ ? Kind::row : *totals_ ? Kind::totals : Kind::gaps;
  TimeRange& time = options_.range.time;
  if (at_) {
    time = {*at_, *at_ + 1};
  } else {
    time.to = to_.value_or(now_);
    time.from = from_.value_or(time.to - default_history_length);
    if (time.from >= time.to)
      return fmt::format("--from {} is not before --to {}", local_text(time.from),
                         local_text(time.to));
  }
  options_.range.agent = agent;
  HistorySelection& selection = options_.selection;
  selection.group = group_of(*top_, group_bits_);
  if (selection.prefix && selection.group) {
    const Prefix& prefix = *selection.prefix;
    const auto& length = selection.group->of(prefix.network.family);
    if (length && prefix.length > *length)
      return fmt::format(
          "the sums are of networks of {} bits, of which --prefix {} is a part: ask for {}, or for "
          "a group of {} bits",
          *length, typed_prefix_text(prefix), prefix_text(network_of(prefix.network, *length)),
          prefix.length);
  }
  return options_;
}

}  // namespace xdp_count
