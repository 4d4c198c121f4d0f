// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "tshark_reading.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "base/address.hpp"

namespace xdp_count::testing {
namespace {

constexpr std::size_t most_tags = 4;
constexpr std::size_t ethernet_bytes = 14;
constexpr std::size_t tag_bytes = 4;
constexpr std::size_t pppoe_bytes = 6;
constexpr std::size_t ppp_protocol_bytes = 2;
constexpr std::size_t ipv6_header_bytes = 40;

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  std::istringstream stream(text);
  for (std::string part; std::getline(stream, part, separator);) parts.push_back(part);
  return parts;
}

// A field of a line: the values of all its occurrences, outermost first. An occurrence may be
// inside a tunnel, and a field that the frame has no bytes for has none.
class Field {
 public:
  explicit Field(const std::string& text) : values_(split(text, ',')) {}

  const std::vector<std::string>& all() const { return values_; }
  std::optional<std::string> first() const {
    return values_.empty() ? std::nullopt : std::optional(values_.front());
  }
  std::optional<std::uint64_t> first_number() const {
    return values_.empty() ? std::nullopt
                           : std::optional<std::uint64_t>(std::stoull(values_.front(), nullptr, 0));
  }

 private:
  std::vector<std::string> values_;
};

// The fields are in the order of the command line.
struct Line {
  Field frame_bytes, ethertype, ethertypes_behind_tags, version, header_bytes, total_bytes, source,
      destination;
  Field pppoe_version, pppoe_type, pppoe_code, pppoe_payload_bytes, ppp_protocol;
  Field ipv6_version, ipv6_payload_bytes, ipv6_source, ipv6_destination;
};

Line parse_line(const std::string& text) {
  // A separator at the end: the last field may be empty.
  const std::vector<std::string> fields = split(text + "\t", '\t');
  if (fields.size() != 17) throw std::runtime_error("a line of tshark has other fields: " + text);
  return {Field(fields[0]),  Field(fields[1]),  Field(fields[2]),  Field(fields[3]),
          Field(fields[4]),  Field(fields[5]),  Field(fields[6]),  Field(fields[7]),
          Field(fields[8]),  Field(fields[9]),  Field(fields[10]), Field(fields[11]),
          Field(fields[12]), Field(fields[13]), Field(fields[14]), Field(fields[15]),
          Field(fields[16])};
}

bool is_tag(const std::string& ethertype) {
  return ethertype == "0x8100" || ethertype == "0x88a8" || ethertype == "0x9100";
}

std::string class_of(const Line& line) {
  std::string ethertype = line.ethertype.first().value_or("none: 802.3");
  std::size_t tags = 0;
  while (is_tag(ethertype)) {
    if (tags == most_tags || tags == line.ethertypes_behind_tags.all().size()) return "other";
    ethertype = line.ethertypes_behind_tags.all()[tags];
    ++tags;
  }
  std::uint64_t ip_bytes =
      line.frame_bytes.first_number().value() - ethernet_bytes - tags * tag_bytes;
  if (ethertype == "0x8864") {
    const auto protocol = line.ppp_protocol.first_number();
    if (line.pppoe_version.first_number() != 1 || line.pppoe_type.first_number() != 1 ||
        line.pppoe_code.first_number() != 0 || ip_bytes < pppoe_bytes + ppp_protocol_bytes ||
        line.pppoe_payload_bytes.first_number() < ppp_protocol_bytes)
      return "other";
    if (protocol != 0x0021 && protocol != 0x0057) return "other";
    const std::uint64_t payload_bytes = line.pppoe_payload_bytes.first_number().value();
    if (payload_bytes > ip_bytes - pppoe_bytes) return "malformed";
    ip_bytes = payload_bytes - ppp_protocol_bytes;
    ethertype = protocol == 0x0021 ? "0x0800" : "0x86dd";
  }
  if (ethertype == "0x86dd") {
    // An address that is not there whole has no field.
    const auto payload_bytes = line.ipv6_payload_bytes.first_number();
    const bool whole = line.ipv6_version.first_number() == 6 && line.ipv6_destination.first() &&
                       payload_bytes && ipv6_header_bytes + *payload_bytes <= ip_bytes;
    return whole ? "ipv6" : "malformed";
  }
  if (ethertype == "0x0806") return "arp";
  if (ethertype != "0x0800") return "other";

  const auto header_bytes = line.header_bytes.first_number();
  const auto total_bytes = line.total_bytes.first_number();
  const bool whole = line.version.first_number() == 4 && header_bytes >= 20 &&
                     total_bytes >= header_bytes && total_bytes <= ip_bytes && line.source.first();
  return whole ? "ipv4" : "malformed";
}

}  // namespace

TsharkReading read_with_tshark(const std::string& capture_file) {
  // clang-format off
  Process tshark({"/usr/bin/tshark", "-r", capture_file, "-n",
                  // 802.1ad has a dissector of its own, whose fields have other names.
                  "-d", "ethertype==0x88a8,vlan",
                  // Each frame on its own; and a length of 0 is what it says.
                  "-o", "ip.defragment:FALSE", "-o", "ip.tso_support:FALSE",
                  "-T", "fields", "-E", "occurrence=a", "-E", "aggregator=,",
                  "-e", "frame.len", "-e", "eth.type", "-e", "vlan.etype", "-e", "ip.version",
                  "-e", "ip.hdr_len", "-e", "ip.len", "-e", "ip.src", "-e", "ip.dst", "-e", "pppoe.version",
                  "-e", "pppoe.type", "-e", "pppoe.code", "-e", "pppoe.payload_length",
                  "-e", "ppp.protocol", "-e", "ipv6.version", "-e", "ipv6.plen", "-e", "ipv6.src",
                  "-e", "ipv6.dst"});
  // clang-format on
  if (const int code = tshark.wait(); code != 0)
    throw std::runtime_error("tshark ended with " + std::to_string(code) + ": " +
                             tshark.standard_error());

  TsharkReading reading;
  for (const std::string& text : split(tshark.standard_output(), '\n')) {
    const Line line = parse_line(text);
    const std::uint64_t bytes = line.frame_bytes.first_number().value();
    const auto count = [&](Count& counts) {
      ++counts.packets;
      counts.bytes += bytes;
    };
    const std::string frame_class = class_of(line);
    count(reading.all);
    count(reading.classes[frame_class]);
    if (frame_class != "ipv4" && frame_class != "ipv6") continue;
    const bool is_ipv4 = frame_class == "ipv4";
    const auto text_of = [](const Field& field) {
      return address_text(*parse_address(field.first().value()));
    };
    const std::string source = text_of(is_ipv4 ? line.source : line.ipv6_source);
    const std::string destination = text_of(is_ipv4 ? line.destination : line.ipv6_destination);
    count(reading.sources[source]);
    count(reading.destinations[destination]);
    count(reading.pairs[{source, destination}]);
  }
  return reading;
}

}  // namespace xdp_count::testing
