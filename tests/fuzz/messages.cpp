// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Whatever comes instead of an agent's line: the client understands it and can show it, or refuses
// it with a text.
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "event_view.hpp"
#include "expect.hpp"
#include "protocol/json_decoding.hpp"
#include "status_view.hpp"
#include "view/table_view.hpp"

namespace xdp_count {
namespace {

std::vector<std::string> shown(const SnapshotMessage& message) {
  return snapshot_table(message.head, message.rows);
}
std::vector<std::string> shown(const SourcesMessage& message) {
  return source_table(message.head, message.rows);
}
std::vector<std::string> shown(const StatusMessage& message) {
  return status_table(message.head, message.status);
}
std::vector<std::string> shown(const EventMessage& message) {
  return {event_text(message)};
}
std::vector<std::string> shown(const OkMessage&) {
  return {"ok"};
}
std::vector<std::string> shown(const ErrorMessage& message) {
  return {message.code + message.message};
}
std::vector<std::string> shown(const GoodbyeMessage& message) {
  return {message.reason};
}
std::vector<std::string> shown(const UnknownMessage& message) {
  return {message.type};
}

void check(std::string_view line) {
  try {
    const Message message = decode_message(line);
    const auto lines = std::visit([](const auto& known) { return shown(known); }, message);
    expect(!lines.empty(), "what is understood can be shown", line);
  } catch (const std::runtime_error& error) {
    expect(std::string_view(error.what()).starts_with("not a message of the protocol: "),
           "a refusal says what it is about", error.what());
  }
}

}  // namespace
}  // namespace xdp_count

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  xdp_count::check({reinterpret_cast<const char*>(data), size});
  return 0;
}
