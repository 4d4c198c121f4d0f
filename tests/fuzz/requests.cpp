// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Whatever line a client sends: it is answered by lines of the protocol, bounded, with its id.
#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <variant>

#include "expect.hpp"
#include "owned_ledger.hpp"
#include "owned_tally.hpp"
#include "protocol/json_requests.hpp"
#include "server/request_handler.hpp"

namespace xdp_count {
namespace {

using nlohmann::json;

constexpr std::uint32_t network = 0xc0000200;  // 192.0.2.0
constexpr std::uint32_t sources = 60;

// From 192.0.2.0 and 2001:db8:: on, in turn.
Address source(std::uint32_t i) {
  return i % 2 == 0 ? Address(network + i) : Address(0x20010db800000000, i);
}

// A handler over two ticks; only some of the sources were seen in the last one.
struct Server {
  OwnedLedger owned{2 * sources};
  OwnedTally tally{owned.ledger, {.interface = "eth0", .ifindex = 4}};
  RequestHandler handler{tally.tally, tally.head(),
                         [] { return Status{.pid = 4711, .mode = XdpMode::generic}; }};

  Server() {
    CutWithCounts first{.time = 1000, .interval = 1};
    CutWithCounts second{.time = 3000, .interval = 2};
    for (std::uint32_t i = 0; i < sources; ++i) {
      first.generation.sources.push_back({source(i), {10 + i, 1000 * i}});
      if (i % 3 == 0) second.generation.sources.push_back({source(i), {1 + i % 7, 60}});
    }
    tally.fold(first);
    tally.fold(second);
  }
};

std::string whole_text(const Answer& answer) {
  std::string text = answer.from_ledger ? answer.from_ledger() : answer.text;
  expect(answer.text.empty() == (answer.from_ledger || answer.query), "an answer is of one kind",
         text);
  if (!answer.query) return text;
  expect(answer.query->select(false), "a query that nothing interrupts is answered", "");
  answer.query->prepare();
  while (!answer.query->is_done()) text += answer.query->next_part();
  return text;
}

// The line as the protocol means it: a NUL, for one, is not JSON. Discarded where it is none.
json request_in(std::string_view line) {
  return line.find('\0') == line.npos ? json::parse(line, nullptr, false)
                                      : json(json::value_t::discarded);
}

// The id that every line of the answer must have; nothing where it must have none.
std::optional<json> id_of(const json& request) {
  const bool has_one =
      request.is_object() && request.contains("id") && !request["id"].is_structured();
  return has_one ? std::optional(request["id"]) : std::nullopt;
}

void check_line(std::string_view text, const json& request, bool last) {
  static const std::set<std::string> types{"ok", "sources", "status", "error"};
  const json message = json::parse(text, nullptr, false);
  expect(message.is_object(), "an answer is a JSON object", text);
  expect(types.contains(message.value("type", "")), "an answer has a known type", text);
  expect((message.value("code", "") == "bad_json") == request.is_discarded(),
         "what is not JSON is refused as that, and nothing else", text);
  const auto id = id_of(request);
  expect(message.contains("id") == id.has_value() && (!id || message["id"] == *id),
         "the id comes back", text);
  expect(message.value("more", false) != last, "only the last line has no more to come", text);
}

void check_answer(std::string_view line, const Answer& answer) {
  const std::string text = whole_text(answer);
  constexpr std::size_t row = 200;
  constexpr std::size_t most = 4096 + (sources + max_get_addresses) * row;
  expect(text.size() <= most + 2 * line.size(), "an answer is bounded", line);
  expect(text.ends_with('\n'), "an answer is whole lines", text);
  if (answer.stream) expect(text.starts_with(R"({"type":"ok")"), "a change is confirmed", text);
  const json request = request_in(line);
  for (std::size_t begin = 0, end; begin < text.size(); begin = end + 1) {
    end = text.find('\n', begin);
    check_line(std::string_view(text).substr(begin, end - begin), request, end + 1 == text.size());
  }
}

// What the agent understood, said by the client and understood once more, is the same.
void check_round_trip(std::string_view line) {
  const auto decoded = decode_request(line);
  if (!std::holds_alternative<Request>(decoded)) return;
  const std::string once = encode_request(std::get<Request>(decoded));
  const auto again = decode_request(std::string_view(once).substr(0, once.size() - 1));
  expect(std::holds_alternative<Request>(again), "what the client says is understood", once);
  expect(encode_request(std::get<Request>(again)) == once, "it means the same", once);
}

}  // namespace
}  // namespace xdp_count

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace xdp_count;
  static const Server server;
  std::string_view line(reinterpret_cast<const char*>(data), size);
  if (line.ends_with('\n')) line.remove_suffix(1);  // as the files of the corpus do
  check_answer(line, server.handler.handle(line));
  check_round_trip(line);
  return 0;
}
