// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Files in MaxMind's format for tests.
#pragma once

#include <doctest/doctest.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <fstream>
#include <string>

namespace xdp_count {

// Writes values as MaxMind DB 2.0 has them.
class MmdbText {
 public:
  MmdbText& map(unsigned size) { return control(7, size); }
  MmdbText& text(const std::string& value) {
    control(2, static_cast<unsigned>(value.size()));
    bytes += value;
    return *this;
  }
  MmdbText& number(unsigned type, std::uint32_t value) {
    control(type, 4);
    for (const int shift : {24, 16, 8, 0}) bytes += static_cast<char>(value >> shift);
    return *this;
  }
  MmdbText& small(std::uint16_t value) {
    control(5, 2);
    bytes += static_cast<char>(value >> 8);
    bytes += static_cast<char>(value);
    return *this;
  }
  MmdbText& control(unsigned type, unsigned size) {
    constexpr unsigned longer = 29;  // a byte says by how much
    const unsigned first = size < longer ? size : longer;
    if (type > 7) {
      bytes += static_cast<char>(first);
      bytes += static_cast<char>(type - 7);
    } else {
      bytes += static_cast<char>(type << 5 | first);
    }
    if (first == longer) bytes += static_cast<char>(size - longer);
    return *this;
  }

  std::string bytes;
};

// A file in which one IPv4 network has this data.
class MmdbFile {
 public:
  MmdbFile(std::uint32_t network, unsigned length, const std::string& data) {
    std::string name = "/tmp/xdp-count-mmdb-XXXXXX";
    const int fd = ::mkstemp(name.data());
    REQUIRE(fd >= 0);
    ::close(fd);
    path = name;
    write(network, length, data);
  }
  ~MmdbFile() { std::remove(path.c_str()); }
  MmdbFile(const MmdbFile&) = delete;
  MmdbFile& operator=(const MmdbFile&) = delete;

  // Over what it was.
  void write(std::uint32_t network, unsigned length, const std::string& data) const {
    std::string tree;
    const auto record = [&](std::uint32_t value) {
      for (const int shift : {16, 8, 0}) tree += static_cast<char>(value >> shift);
    };
    for (unsigned i = 0; i < length; ++i) {
      const std::uint32_t next = i + 1 < length ? i + 1 : length + 16;
      const bool bit = (network >> (31 - i) & 1) != 0;
      record(bit ? length : next);
      record(bit ? next : length);
    }
    MmdbText about;
    about.map(9);
    about.text("binary_format_major_version").small(2);
    about.text("binary_format_minor_version").small(0);
    about.text("build_epoch").number(9, 1);
    about.text("database_type").text("Test");
    about.text("description").map(0);
    about.text("ip_version").small(4);
    about.text("languages").control(11, 0);
    about.text("node_count").number(6, length);
    about.text("record_size").small(24);
    std::ofstream(path, std::ios::binary)
        << tree << std::string(16, '\0') << data << "\xAB\xCD\xEFMaxMind.com" << about.bytes;
  }

  std::string path;
};

inline std::string country_data(const std::string& code) {
  return MmdbText().map(1).text("country").map(1).text("iso_code").text(code).bytes;
}

inline std::string asn_data(std::uint32_t number, const std::string& organization) {
  MmdbText data;
  data.map(2).text("autonomous_system_number").number(6, number);
  return data.text("autonomous_system_organization").text(organization).bytes;
}

}  // namespace xdp_count
