// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "base/ipv4.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <iterator>
#include <random>
#include <string>
#include <string_view>

namespace xdp_count {
namespace {

TEST_CASE("an address is written as four decimal numbers and read back") {
  struct Case {
    std::uint32_t address;
    std::string text;
  };
  for (const Case& c :
       {Case{0, "0.0.0.0"}, Case{0xffffffff, "255.255.255.255"}, Case{0xc0000201, "192.0.2.1"},
        Case{0x0a640009, "10.100.0.9"}, Case{1, "0.0.0.1"}, Case{0x80000000, "128.0.0.0"}}) {
    CHECK(ipv4_text(c.address) == c.text);
    CHECK(parse_ipv4(c.text) == c.address);
  }
}

TEST_CASE("any address survives writing and reading") {
  constexpr unsigned seed = 1;
  CAPTURE(seed);
  std::mt19937 random(seed);
  for (int i = 0; i < 10'000; ++i) {
    const auto address = static_cast<std::uint32_t>(random());
    REQUIRE(parse_ipv4(ipv4_text(address)) == address);
  }
}

TEST_CASE("writing an address returns its end and touches nothing after it") {
  char text[max_ipv4_text + 1];
  std::fill(std::begin(text), std::end(text), '#');
  CHECK(write_ipv4(0xc0000201, text) == text + 9);
  CHECK(std::string(text, sizeof text) == "192.0.2.1#######");
  CHECK(write_ipv4(0xffffffff, text) == text + max_ipv4_text);
  CHECK(text[max_ipv4_text] == '#');
}

TEST_CASE("what is not four decimal numbers is not an address") {
  using namespace std::string_view_literals;
  for (const std::string_view text : {""sv,
                                      " "sv,
                                      "1"sv,
                                      "1.2.3"sv,
                                      "1.2.3."sv,
                                      "1.2.3.4."sv,
                                      ".1.2.3.4"sv,
                                      "1.2.3.4.5"sv,
                                      "1..2.3"sv,
                                      "256.0.0.1"sv,
                                      "1.2.3.256"sv,
                                      "1.2.3.04"sv,
                                      "01.2.3.4"sv,
                                      "0x1.2.3.4"sv,
                                      "-1.2.3.4"sv,
                                      "+1.2.3.4"sv,
                                      " 1.2.3.4"sv,
                                      "1.2.3.4 "sv,
                                      "1.2.3.4\n"sv,
                                      "1.2.3.4/32"sv,
                                      "1.2.3.4\0"sv,
                                      "1.2.3.4\0junk"sv,
                                      "\0001.2.3.4"sv,
                                      "::1"sv,
                                      "::ffff:1.2.3.4"sv,
                                      "localhost"sv,
                                      "1.2.3.4294967300"sv,
                                      "3232235777"sv}) {
    CAPTURE(text);
    CHECK_FALSE(parse_ipv4(text));
    CHECK_FALSE(parse_prefix(std::string(text) + "/32"));
  }
}

TEST_CASE("a prefix is read from CIDR notation and written back") {
  struct Case {
    std::string text;
    Prefix prefix;
  };
  for (const Case& c :
       {Case{"0.0.0.0/0", {0, 0}}, Case{"128.0.0.0/1", {0x80000000, 1}},
        Case{"192.0.2.0/24", {0xc0000200, 24}}, Case{"192.0.2.254/31", {0xc00002fe, 31}},
        Case{"255.255.255.255/32", {0xffffffff, 32}}}) {
    CAPTURE(c.text);
    CHECK(parse_prefix(c.text) == c.prefix);
    CHECK(prefix_text(c.prefix) == c.text);
  }
}

TEST_CASE("what is not an exact network is not a prefix") {
  for (const std::string text :
       {"", "/", "/24", "192.0.2.0", "192.0.2.0/", "192.0.2.0/33", "192.0.2.0/-1", "192.0.2.0/+24",
        "192.0.2.0/ 24", "192.0.2.0/24 ", "192.0.2.0/24/24", "192.0.2.0/2x",
        "192.0.2.0/99999999999999999999", "192.0.2.0/255.255.255.0", "192.0.2/24",
        // Bits of a host, which hide typing errors.
        "192.0.2.1/24", "128.0.0.0/0", "0.0.0.1/0", "192.0.2.1/31", "192.0.3.0/23"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_prefix(text));
  }
}

TEST_CASE("people may leave out the length of a prefix that is one address") {
  CHECK((parse_typed_prefix("192.0.2.1") == Prefix{0xc0000201, 32}));
  CHECK((parse_typed_prefix("192.0.2.0/24") == Prefix{0xc0000200, 24}));
  for (const char* text : {"", "192.0.2", "192.0.2.1/", "192.0.2.1/24", "192.0.2.1 "})
    CHECK_FALSE(parse_typed_prefix(text));
}

TEST_CASE("of an address with host bits the network is known, and named in the error") {
  struct Case {
    std::string text;
    std::string network;
  };
  for (const Case& c :
       {Case{"10.0.0.9/24", "10.0.0.0/24"}, Case{"255.255.255.255/0", "0.0.0.0/0"},
        Case{"255.255.255.255/1", "128.0.0.0/1"}, Case{"10.0.0.9/31", "10.0.0.8/31"}}) {
    const auto around = network_around(c.text);
    REQUIRE(around);
    CHECK(prefix_text(*around) == c.network);
    CHECK(host_bits_error(c.text) ==
          c.text + " has host bits set below the prefix; the network is " + c.network);
  }
  for (const char* text : {"10.0.0.0/24", "10.0.0.9/32", "0.0.0.0/0"}) {
    CHECK(network_around(text) == parse_prefix(text));
    CHECK(host_bits_error(text) == "");
  }
  for (const char* text : {"", "10.0.0.9", "10.0.0.9/33", "10.0.0.9/024", "x/24"})
    CHECK(host_bits_error(text) == "");
}

TEST_CASE("a prefix contains its first and last address and neither neighbour") {
  for (unsigned length = 1; length <= 32; ++length) {
    CAPTURE(length);
    const std::uint32_t size_less_one = length == 32 ? 0 : 0xffffffff >> length;
    const std::uint32_t first = 0xc0a85aa5 & ~size_less_one;
    const std::uint32_t last = first | size_less_one;
    const Prefix prefix{first, length};
    CHECK(prefix.contains(first));
    CHECK(prefix.contains(last));
    CHECK_FALSE(prefix.contains(first - 1));
    CHECK_FALSE(prefix.contains(last + 1));
  }
}

TEST_CASE("the prefix of length 0 contains every address") {
  for (const std::uint32_t address : {0x00000000u, 0x7fffffffu, 0x80000000u, 0xffffffffu})
    CHECK(Prefix{0, 0}.contains(address));
}

}  // namespace
}  // namespace xdp_count
