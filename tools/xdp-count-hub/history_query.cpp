// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "history_query.hpp"

#include <fmt/core.h>

#include <array>
#include <optional>
#include <stdexcept>

#include "base/local_time.hpp"
#include "base/name_table.hpp"
#include "form_fields.hpp"
#include "history/history_names.hpp"

namespace xdp_count {
namespace {

constexpr unsigned most_rows = 10'000;

using Kind = HistoryQuestion::Kind;
constexpr std::array<Name<Kind>, 4> kind_names{
    {{"top", Kind::top}, {"row", Kind::row}, {"totals", Kind::totals}, {"gaps", Kind::gaps}}};

// A name, or what there is in place of it.
template <class Value, std::size_t count>
Value named(const std::array<Name<Value>, count>& names, const FormField& field) {
  if (const auto value = find_named(names, field.value)) return *value;
  std::string all;
  for (const auto& [name, value] : names) all += (all.empty() ? "" : ", ") + std::string(name);
  throw std::runtime_error(fmt::format("{}: expected one of {}", field.name, all));
}

std::int64_t time_in(const FormField& field, std::int64_t now) {
  if (const auto time = parse_time(field.value, now)) return *time;
  throw std::runtime_error(
      field.name + ": expected a time such as 2026-11-20T03:12:30Z, now, or -2h for two hours ago");
}

}  // namespace

HistoryQuestion parse_history_query(std::string_view kind, std::string_view query,
                                    std::int64_t now) {
  const auto found = find_named(kind_names, kind);
  if (!found)
    throw std::runtime_error("there are top, row, totals and gaps under /api/v1/history/");
  HistoryQuestion question{.kind = *found};
  HistorySelection& selection = question.selection;
  std::optional<std::int64_t> at, from, to;
  for (const FormField& field : form_fields(query)) {
    const std::string& name = field.name;
    const bool of_top = *found == Kind::top;
    const bool of_lines = *found == Kind::row || *found == Kind::totals;
    if (name == "agent") {
      question.range.agent = field.value;
    } else if (name == "at") {
      at = time_in(field, now);
    } else if (name == "from") {
      from = time_in(field, now);
    } else if (name == "to") {
      to = time_in(field, now);
    } else if (of_top && name == "by") {
      selection.by_bytes = named(history_order_names, field);
    } else if (of_top && name == "top") {
      const auto top = form_number(field.value, most_rows);
      if (!top) throw std::runtime_error(fmt::format("top: expected at most {} rows", most_rows));
      selection.top = *top;
    } else if (of_top && name == "prefix") {
      selection.prefix = form_prefix(field.value);
    } else if (of_top && name == "family") {
      selection.family = form_family(field.value);
    } else if (of_top && name == "group") {
      selection.group = form_grouping(field.value);
    } else if (of_lines && name == "step") {
      question.step = named(history_step_names, field);
    } else if (*found == Kind::row && name == "address") {
      question.row = form_prefix(field.value);
    } else {
      throw std::runtime_error(fmt::format("'{}' is not asked for with {}", name, kind));
    }
  }
  if (*found == Kind::row && !question.row)
    throw std::runtime_error("address: expected the address of a row");
  TimeRange& time = question.range.time;
  if (at && (from || to)) throw std::runtime_error("at: expected alone, or from and to");
  time.to = at ? *at + 1 : to.value_or(now);
  time.from = at ? *at : from.value_or(time.to - default_history_length);
  if (time.from >= time.to) throw std::runtime_error("from: expected a time before to");
  return question;
}

}  // namespace xdp_count
