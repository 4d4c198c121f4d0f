// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "server/request_handler.hpp"
#include "counting/top_sources.hpp"

#include <fmt/core.h>

#include <utility>

#include "model/names.hpp"
#include "protocol/json_encoding.hpp"
#include "protocol/json_requests.hpp"

namespace xdp_count {

namespace {

std::string answer_from(const Tally& tally, std::string_view id, const GetRequest& request) {
  std::vector<SourceRow> rows;
  std::vector<Prefix> missing;
  for (const Prefix& address : request.addresses) {
    const Prefix row = tally.head().row_kind.row_of(address.network);
    if (const LedgerEntry* entry = tally.ledger().find(row.network))
      rows.push_back(source_row(tally, *entry));
    else
      missing.push_back(row);
  }
  return encode_sources(id, tally.head(), rows, missing);
}

// What is wrong with a network of which rows hold only a part, or which holds only a part of a row.
// Empty: nothing is.
std::string error_in_filter(const std::optional<Prefix>& prefix, const RowKind& kind) {
  if (!prefix || prefix->is_address()) return {};
  if (prefix->length <= kind.prefix_lengths.of(prefix->network.family)) return {};
  const Prefix row = kind.row_of(prefix->network);
  return fmt::format("prefix: rows are networks of {} bits: ask for {}", row.length,
                     prefix_text(row));
}

std::string error_in(const GetRequest& request, const SnapshotHead& head) {
  const RowKind& kind = head.row_kind;
  if (kind.by == CountBy::pair)
    return "cmd: this agent counts pairs, of which an address may have many: ask for list or top, "
           "with the address as prefix, such as \"192.0.2.1/32\"";
  for (const Prefix& address : request.addresses) {
    const Prefix row = kind.row_of(address.network);
    if (address.is_address() || address.length == row.length) continue;
    return fmt::format(
        "address: expected {}, which is what this agent counts, not {}; list and top take other "
        "networks",
        row.is_address() ? "an address"
                         : fmt::format("an address or a network of {} bits", row.length),
        prefix_text(address));
  }
  return {};
}

// The same of an answer that may be summed up by network.
std::string error_in_filter(const std::optional<Prefix>& prefix,
                            const std::optional<Grouping>& group, const RowKind& kind) {
  if (std::string error = error_in_filter(prefix, kind); !group || !error.empty()) return error;
  for (const auto& [name, family] : family_names) {
    const unsigned most = kind.prefix_lengths.of(family);
    if (const auto& length = group->of(family); length && *length > most)
      return fmt::format(
          "group: this agent counts networks of {} bits, which it cannot divide: ask for {} of at "
          "most {}, not {}",
          most, name, most, *length);
  }
  if (!prefix) return {};
  const Prefix network = kind.grouped_by(*group).row_of(prefix->network);
  if (prefix->length <= network.length) return {};
  return fmt::format(
      "prefix: the sums are of networks of {} bits, of which {} is a part: ask for {}, or for a "
      "group of {} bits",
      network.length, prefix_text(*prefix), prefix_text(network), prefix->length);
}

std::string error_in(const TopRequest& request, const SnapshotHead& head) {
  return error_in_filter(request.selection.prefix, request.group, head.row_kind);
}
std::string error_in(const ListRequest& request, const SnapshotHead& head) {
  if (request.active_since && *request.active_since > head.seq)
    return fmt::format(
        "active_since: expected a whole number from 0 to {}, the seq of the last tick, not {}: "
        "there has been no such tick since counting began; ask with 0, for all rows",
        head.seq, *request.active_since);
  return error_in_filter(request.prefix, request.group, head.row_kind);
}
std::string error_in(const SubscribeRequest& request, const SnapshotHead& head) {
  return error_in_filter(request.subscription.selection.prefix, head.row_kind);
}
template <class Other>
std::string error_in(const Other&, const SnapshotHead&) {
  return {};
}

}  // namespace

RequestHandler::RequestHandler(const Tally& tally, const SnapshotHead& head,
                               std::function<Status()> status)
    : tally_(tally), head_(head), status_(std::move(status)) {}

Answer RequestHandler::handle(std::string_view line) const {
  const auto decoded = decode_request(line);
  if (const auto* error = std::get_if<RequestError>(&decoded))
    return {.text = encode_error(*error)};
  const Request& request = std::get<Request>(decoded);
  return std::visit(
      [&](const auto& command) {
        if (std::string error = error_in(command, head_); !error.empty())
          return Answer{.text =
                            encode_error({request.id, ErrorCode::bad_request, std::move(error)})};
        return answer(request.id, command);
      },
      request.command);
}

Answer RequestHandler::answer(std::string_view id, const GetRequest& request) const {
  return {.from_ledger = [&tally = tally_, id = std::string(id), request] {
    return answer_from(tally, id, request);
  }};
}

Answer RequestHandler::answer(std::string_view id, const TopRequest& request) const {
  return {.query = std::make_unique<TopQuery>(tally_, std::string(id), request)};
}

Answer RequestHandler::answer(std::string_view id, const ListRequest& request) const {
  return {.query = std::make_unique<ListQuery>(tally_, std::string(id), request)};
}

Answer RequestHandler::answer(std::string_view id, const SubscribeRequest& request) const {
  const auto& [new_sources, samples] = request.subscription.events;
  const Settings settings = new_sources || samples ? status_().settings : Settings{};
  const auto refused = [&](const char* why) {
    return Answer{.text = encode_error({std::string(id), ErrorCode::bad_request, why})};
  };
  if (new_sources && !settings.events)
    return refused("events: new_source takes an agent that was started with --events");
  if (samples && settings.sample == 0)
    return refused("events: sample takes an agent that was started with --sample");
  return {.text = encode_ok(id), .stream = Answer::StreamChange{request.subscription}};
}

Answer RequestHandler::answer(std::string_view id, const UnsubscribeRequest&) const {
  return {.text = encode_ok(id), .stream = Answer::StreamChange{std::nullopt}};
}

Answer RequestHandler::answer(std::string_view id, const StatusRequest&) const {
  return {.text = encode_status(id, head_, status_())};
}

}  // namespace xdp_count
