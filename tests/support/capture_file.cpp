// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "capture_file.hpp"

#include <cstdint>
#include <fstream>
#include <stdexcept>
#include <string>

namespace xdp_count::testing {
namespace {

// The format of tcpdump and libpcap, pcap-savefile(5). Its magic number says which byte order the
// numbers have: that of the host.
struct FileHeader {
  std::uint32_t magic = 0xa1b2c3d4;  // times in microseconds
  std::uint16_t major = 2;
  std::uint16_t minor = 4;
  std::uint32_t reserved[2] = {};
  std::uint32_t longest_frame = 262144;
  std::uint32_t link_type = 1;  // Ethernet
};
static_assert(sizeof(FileHeader) == 24);

struct FrameHeader {
  std::uint32_t seconds;
  std::uint32_t microseconds;
  std::uint32_t captured_bytes;
  std::uint32_t frame_bytes;
};
static_assert(sizeof(FrameHeader) == 16);

template <typename Header>
void write(std::ofstream& file, const Header& header) {
  file.write(reinterpret_cast<const char*>(&header), sizeof header);
}

}  // namespace

void write_capture_file(const std::string& path, std::span<const Frame> frames) {
  std::ofstream file(path, std::ios::binary);
  write(file, FileHeader{});
  std::uint32_t time = 0;
  for (const Frame& frame : frames) {
    const auto bytes = static_cast<std::uint32_t>(frame.size());
    write(file, FrameHeader{time / 1'000'000, time % 1'000'000, bytes, bytes});
    file.write(reinterpret_cast<const char*>(frame.data()), bytes);
    ++time;
  }
  file.close();
  if (!file) throw std::runtime_error("writing the capture file " + path + " failed");
}

}  // namespace xdp_count::testing
