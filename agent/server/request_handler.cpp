// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "server/request_handler.hpp"
#include "counting/top_sources.hpp"

#include <utility>

#include "protocol/json_encoding.hpp"
#include "protocol/json_requests.hpp"

namespace xdp_count {

namespace {

std::string answer_from(const Tally& tally, std::string_view id, const GetRequest& request) {
  std::vector<SourceRow> rows;
  std::vector<Address> missing;
  for (const Address& address : request.addresses) {
    const LedgerEntry* entry = tally.ledger().find(address);
    if (entry)
      rows.push_back(source_row(tally, *entry));
    else
      missing.push_back(address);
  }
  return encode_sources(id, tally.head(), rows, missing);
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
  return std::visit([&](const auto& command) { return answer(request.id, command); },
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
