// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Events as lines: written by the agent, read and shown by the client.
#include <doctest/doctest.h>

#include <string>

#include "base/base64.hpp"
#include "base/time_format.hpp"
#include "event_view.hpp"
#include "message_view.hpp"
#include "pcapng.hpp"
#include "protocol/json_decoding.hpp"
#include "protocol/json_encoding.hpp"

namespace xdp_count {
namespace {

constexpr std::int64_t noon = 1'795'176'000'123'456;  // 2026-11-20T12:00:00.123456Z

const NewSource new_source{.time = noon, .key = 0xc0000201};
const Sample sample{.time = noon, .frame_bytes = 1514, .head = {0, 1, 254, 255}};
const DecodedFrame frame{.vlan_ids = {7, 100},
                         .source = "192.0.2.1",
                         .destination = "198.51.100.1",
                         .protocol = "tcp",
                         .source_port = 443,
                         .destination_port = 51234};

const std::string new_source_line =
    R"({"type":"event","event":"new_source","time":"2026-11-20T12:00:00.123456Z","src":"192.0.2.1"})";
const std::string sample_line =
    R"({"type":"event","event":"sample","time":"2026-11-20T12:00:00.123456Z","src":"192.0.2.1",)"
    R"("dst":"198.51.100.1","proto":"tcp","sport":443,"dport":51234,"length":1514,)"
    R"("vlan":[7,100],"head":"AAH+/w==","lost":3})";

EventMessage read(const std::string& line) {
  return std::get<EventMessage>(decode_message(line));
}

std::string bytes(std::initializer_list<int> values) {
  std::string result;
  for (const int value : values) result += static_cast<char>(value);
  return result;
}

}  // namespace

TEST_CASE("base 64 is that of RFC 4648") {
  const std::pair<const char*, const char*> vectors[] = {{"", ""},
                                                         {"f", "Zg=="},
                                                         {"fo", "Zm8="},
                                                         {"foo", "Zm9v"},
                                                         {"foob", "Zm9vYg=="},
                                                         {"fooba", "Zm9vYmE="},
                                                         {"foobar", "Zm9vYmFy"}};
  for (const auto& [plain, encoded] : vectors) {
    const std::vector<std::uint8_t> data(plain, plain + std::char_traits<char>::length(plain));
    CHECK(base64(data) == encoded);
    CHECK(parse_base64(encoded) == data);
  }
  for (const char* wrong : {"Zg", "Zg=", "Zh==", "Z", "Zm9v=", "Zm 9", "Zg==Zg==", "====", "Zm8-"})
    CHECK_FALSE(parse_base64(wrong));
}

TEST_CASE("times have microseconds") {
  CHECK(rfc3339_us(noon) == "2026-11-20T12:00:00.123456Z");
  CHECK(rfc3339_us(1) == "1970-01-01T00:00:00.000001Z");
  CHECK(parse_rfc3339_us("2026-11-20T12:00:00.123456Z") == noon);
  for (const char* wrong : {"2026-11-20T12:00:00.123Z", "2026-11-20T12:00:00.12345xZ",
                            "2026-11-20T12:00:00.123456", "2026-13-20T12:00:00.123456Z", ""})
    CHECK_FALSE(parse_rfc3339_us(wrong));
}

TEST_CASE("events are written as lines") {
  CHECK(encode_event_body(new_source, {}) + encode_event_end(0) == new_source_line + "\n");
  CHECK(encode_event_body(sample, frame) + encode_event_end(3) == sample_line + "\n");
  CHECK(
      encode_event_body(NewSource{.time = noon, .key = Address(0x20010db800000000, 1)}, {}) ==
      R"({"type":"event","event":"new_source","time":"2026-11-20T12:00:00.123456Z","src":"2001:db8::1")");
  CHECK(
      encode_event_body(Sample{.time = noon, .frame_bytes = 14, .head = {}}, {}) ==
      R"({"type":"event","event":"sample","time":"2026-11-20T12:00:00.123456Z","length":14,"head":"")");
}

TEST_CASE("events are read with every field that was written") {
  const EventMessage first = read(new_source_line);
  CHECK(first.kind == EventKind::new_source);
  CHECK(first.time == noon);
  CHECK(first.frame == DecodedFrame{.source = "192.0.2.1"});
  CHECK(first.lost == 0);
  const EventMessage second = read(sample_line);
  CHECK(second.kind == EventKind::sample);
  CHECK(second.time == noon);
  CHECK(second.frame == frame);
  CHECK(second.frame_bytes == 1514);
  CHECK(second.head == sample.head);
  CHECK(second.lost == 3);
}

TEST_CASE("events that are none are refused") {
  for (
      const char* line :
      {R"({"type":"event"})",
       R"({"type":"event","event":"new_source","time":"2026-11-20T12:00:00.123Z","src":"192.0.2.1"})",
       R"({"type":"event","event":"new_source","time":"2026-11-20T12:00:00.123456Z","src":"::1%eth0"})",
       R"({"type":"event","event":"sample","time":"2026-11-20T12:00:00.123456Z","length":14,"head":"A"})",
       R"({"type":"event","event":"sample","time":"2026-11-20T12:00:00.123456Z","length":14,"head":"","sport":65536})"})
    CHECK_THROWS_AS(decode_message(line), std::runtime_error);
}

TEST_CASE("an event of a newer agent is reported, not refused") {
  const Message message = decode_message(R"({"type":"event","event":"weather"})");
  REQUIRE(std::holds_alternative<UnknownMessage>(message));
  CHECK(std::get<UnknownMessage>(message).type == "event");
}

TEST_CASE("events are shown as a line each") {
  CHECK(
      event_text(read(
          R"({"type":"event","event":"new_source","time":"2026-11-20T12:00:00.123456Z","src":"2001:db8::1"})")) ==
      "2026-11-20T12:00:00.123456Z  new source 2001:db8::1");
  CHECK(event_text(read(new_source_line)) == "2026-11-20T12:00:00.123456Z  new source 192.0.2.1");
  CHECK(event_text(read(sample_line)) ==
        "(3 samples before the next one were lost)\n"
        "2026-11-20T12:00:00.123456Z  tcp 192.0.2.1:443 > 198.51.100.1:51234, 1514 bytes, "
        "vlan 7 100");
  EventMessage event{.kind = EventKind::sample, .time = noon, .frame_bytes = 60};
  CHECK(event_text(event) == "2026-11-20T12:00:00.123456Z  unknown, 60 bytes");
  event.frame = {.source = "2001:db8::1",
                 .destination = "2001:db8::2",
                 .protocol = "udp",
                 .source_port = 1,
                 .destination_port = 2};
  CHECK(event_text(event) ==
        "2026-11-20T12:00:00.123456Z  udp [2001:db8::1]:1 > [2001:db8::2]:2, 60 bytes");
  event.frame = {.source = "10.0.0.1", .destination = "10.0.0.2", .protocol = "arp"};
  CHECK(event_text(event) == "2026-11-20T12:00:00.123456Z  arp 10.0.0.1 > 10.0.0.2, 60 bytes");
}

TEST_CASE("events are printed in each format") {
  MessageView csv(TextFormat::csv);
  CHECK(csv.text_of(new_source_line, read(new_source_line)) ==
        "time,event,src,dst,proto,sport,dport,length,vlan,lost\r\n"
        "2026-11-20T12:00:00.123456Z,new_source,192.0.2.1,,,,,,,0\r\n");
  CHECK(csv.text_of(sample_line, read(sample_line)) ==
        "2026-11-20T12:00:00.123456Z,sample,192.0.2.1,198.51.100.1,tcp,443,51234,1514,7 100,3\r\n");
  CHECK(MessageView(TextFormat::json).text_of(sample_line, read(sample_line)) ==
        sample_line + "\n");
  CHECK(MessageView(TextFormat::table).text_of(new_source_line, read(new_source_line)) ==
        "2026-11-20T12:00:00.123456Z  new source 192.0.2.1\n");
}

TEST_CASE("a capture has one section, one interface, and a block for each frame") {
  const std::string head = pcapng_head("eth0", true);
  CHECK(head.substr(0, 4) == bytes({0x0a, 0x0d, 0x0d, 0x0a}));
  const std::string interface = head.substr(head.size() - 32);
  CHECK(interface == bytes({1, 0, 0, 0, 32, 0, 0, 0, 1, 0, 0, 0, 128, 0, 0, 0, 2, 0, 4, 0}) +
                         "eth0" + bytes({0, 0, 0, 0, 32, 0, 0, 0}));
  CHECK(pcapng_head("eth0", false)[head.size() - 24] == 101);

  const std::vector<std::uint8_t> data{1, 2, 3, 4, 5};
  CapturedFrame captured{.time = 0x0102030405060708, .frame_bytes = 1514, .head = data};
  CHECK(pcapng_frame(captured) ==
        bytes({6, 0, 0, 0, 40,   0, 0, 0, 0, 0, 0, 0, 4, 3, 2, 1, 8,  7, 6, 5,
               5, 0, 0, 0, 0xea, 5, 0, 0, 1, 2, 3, 4, 5, 0, 0, 0, 40, 0, 0, 0}));
  captured.lost = 9;
  CHECK(pcapng_frame(captured) ==
        bytes({6, 0, 0, 0, 56, 0,    0, 0, 0, 0, 0, 0, 4, 3, 2,  1, 8, 7, 6,
               5, 5, 0, 0, 0,  0xea, 5, 0, 0, 1, 2, 3, 4, 5, 0,  0, 0, 4, 0,
               8, 0, 9, 0, 0,  0,    0, 0, 0, 0, 0, 0, 0, 0, 56, 0, 0, 0}));
}

}  // namespace xdp_count
