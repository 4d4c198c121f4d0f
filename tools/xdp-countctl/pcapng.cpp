// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "pcapng.hpp"

#include <string_view>

#include "version.hpp"
#include "xdp_count/shared_types.h"

namespace xdp_count {
namespace {

constexpr std::uint32_t section_header_block = 0x0a0d0d0a;
constexpr std::uint32_t interface_description_block = 1;
constexpr std::uint32_t enhanced_packet_block = 6;

constexpr std::uint16_t shb_userappl = 4;
constexpr std::uint16_t if_name = 2;
constexpr std::uint16_t epb_dropcount = 4;

// https://www.tcpdump.org/linktypes.html
constexpr std::uint16_t linktype_ethernet = 1;
constexpr std::uint16_t linktype_raw = 101;  // IPv4 or IPv6, as the first bits say

// A block in this machine's byte order: the section header has a word by which readers recognize
// it.
class Block {
 public:
  explicit Block(std::uint32_t type) {
    add(type);
    add(std::uint32_t{0});  // the length, which take() knows
  }

  template <class Integer>
  void add(Integer value) {
    bytes_.append(reinterpret_cast<const char*>(&value), sizeof value);
  }
  void add_padded(std::string_view bytes) {
    bytes_ += bytes;
    bytes_.append((4 - bytes.size() % 4) % 4, '\0');
  }
  void add_option(std::uint16_t code, std::string_view value) {
    add(code);
    add(static_cast<std::uint16_t>(value.size()));
    add_padded(value);
  }
  void end_options() { add(std::uint32_t{0}); }

  std::string take() {
    const auto length = static_cast<std::uint32_t>(bytes_.size() + sizeof(std::uint32_t));
    add(length);
    bytes_.replace(4, sizeof length, reinterpret_cast<const char*>(&length), sizeof length);
    return std::move(bytes_);
  }

 private:
  std::string bytes_;
};

}  // namespace

std::string pcapng_head(const std::string& interface, bool has_ethernet_header) {
  Block section(section_header_block);
  section.add(std::uint32_t{0x1a2b3c4d});  // shows the byte order
  section.add(std::uint16_t{1});           // version 1.0
  section.add(std::uint16_t{0});
  section.add(std::int64_t{-1});  // its length is not known
  section.add_option(shb_userappl, "xdp-countctl " XDP_COUNT_VERSION);
  section.end_options();

  Block description(interface_description_block);
  description.add(has_ethernet_header ? linktype_ethernet : linktype_raw);
  description.add(std::uint16_t{0});  // reserved
  description.add(std::uint32_t{XC_SAMPLE_BYTES});
  description.add_option(if_name, interface);
  description.end_options();
  return section.take() + description.take();
}

std::string pcapng_frame(const CapturedFrame& frame) {
  const auto time = static_cast<std::uint64_t>(frame.time);
  Block packet(enhanced_packet_block);
  packet.add(std::uint32_t{0});  // the only interface
  packet.add(static_cast<std::uint32_t>(time >> 32));
  packet.add(static_cast<std::uint32_t>(time));
  packet.add(static_cast<std::uint32_t>(frame.head.size()));
  packet.add(static_cast<std::uint32_t>(frame.frame_bytes));
  packet.add_padded({reinterpret_cast<const char*>(frame.head.data()), frame.head.size()});
  if (frame.lost > 0) {
    packet.add_option(epb_dropcount,
                      {reinterpret_cast<const char*>(&frame.lost), sizeof frame.lost});
    packet.end_options();
  }
  return packet.take();
}

}  // namespace xdp_count
