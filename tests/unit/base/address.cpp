// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "base/address.hpp"

#include <arpa/inet.h>
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <iterator>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "sources.hpp"

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
    CHECK(address_text(c.address) == c.text);
    CHECK(parse_address(c.text) == c.address);
  }
}

Address ipv6(std::uint64_t first, std::uint64_t last) {
  return {first, last};
}

constexpr std::uint64_t doc = 0x20010db8'00000000;  // 2001:db8::/64

TEST_CASE("an IPv6 address is written as RFC 5952 says, and read back") {
  struct Case {
    Address address;
    std::string text;
  };
  for (const Case& c : {
           // 4.1: no leading zeros.
           Case{ipv6(doc, 1), "2001:db8::1"},
           Case{ipv6(0x20010db8'00010001, 0x00010001'00010001), "2001:db8:1:1:1:1:1:1"},
           Case{ipv6(0x00010020'03004000, 0x00010020'03004000), "1:20:300:4000:1:20:300:4000"},
           // 4.2.1: as many groups as can be are left out.
           Case{ipv6(doc, 0x00000000'00020001), "2001:db8::2:1"},
           Case{ipv6(0, 0), "::"},
           Case{ipv6(0, 1), "::1"},
           Case{ipv6(0x00010000'00000000, 0), "1::"},
           // 4.2.2: but not one alone.
           Case{ipv6(0x20010db8'00000001, 0x00010001'00010001), "2001:db8:0:1:1:1:1:1"},
           Case{ipv6(0x00000001'00010001, 0x00010001'00010001), "0:1:1:1:1:1:1:1"},
           Case{ipv6(0x00010001'00010001, 0x00010001'00010000), "1:1:1:1:1:1:1:0"},
           Case{ipv6(0x00000001'00000001, 0x00000001'00000001), "0:1:0:1:0:1:0:1"},
           // 4.2.3: the longest run, and the first one of those.
           Case{ipv6(0x20010000'00000001, 0x00000000'00000001), "2001:0:0:1::1"},
           Case{ipv6(doc, 0x00010000'00000001), "2001:db8::1:0:0:1"},
           Case{ipv6(0x00000000'00010000, 0x00000000'00010000), "0:0:1::1:0"},
           Case{ipv6(0x00000000'00010000, 0x00010000'00000001), "::1:0:1:0:0:1"},
           Case{ipv6(0x00010000'00000000, 0x00010000'00000000), "1::1:0:0:0"},
           Case{ipv6(0x00000000'00010001, 0x00010001'00000000), "::1:1:1:1:0:0"},
           Case{ipv6(0x00000001'00010001, 0x00010001'00000000), "0:1:1:1:1:1::"},
           Case{ipv6(0x00000000'00010001, 0x00010001'00010001), "::1:1:1:1:1:1"},
           Case{ipv6(0x00010001'00010001, 0x00010001'00000000), "1:1:1:1:1:1::"},
           // 4.3: lowercase.
           Case{ipv6(0x20010db8'aaaabbbb, 0xccccdddd'eeeeaaaa),
                "2001:db8:aaaa:bbbb:cccc:dddd:eeee:aaaa"},
           Case{ipv6(0xabcdef01'abcdef01, 0xabcdef01'abcdef01),
                "abcd:ef01:abcd:ef01:abcd:ef01:abcd:ef01"},
           // 5: IPv4 in the prefix that is for that, and in no other.
           Case{ipv6(0, 0xffff'c0000201), "::ffff:192.0.2.1"},
           Case{ipv6(0, 0xffff'00000000), "::ffff:0.0.0.0"},
           Case{ipv6(0, 0xffff'ffffffff), "::ffff:255.255.255.255"},
           Case{ipv6(0, 0x01020304), "::102:304"},
           Case{ipv6(0, 0xffff), "::ffff"},
           Case{ipv6(0, 0x10000), "::1:0"},
           Case{ipv6(0, 0xfffe'c0000201), "::fffe:c000:201"},
           Case{ipv6(0, 0x1ffff'c0000201), "::1:ffff:c000:201"},
           Case{ipv6(1, 0xffff'c0000201), "::1:0:ffff:c000:201"},
           Case{ipv6(0x0064ff9b'00000000, 0xc0000201), "64:ff9b::c000:201"},
           Case{ipv6(~0ULL, ~0ULL), "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"},
           Case{ipv6(0xfe80'0000'0000'0000, 1), "fe80::1"},
       }) {
    CAPTURE(c.text);
    CHECK(address_text(c.address) == c.text);
    CHECK(parse_address(c.text) == c.address);
  }
}

TEST_CASE("every text of an IPv6 address that RFC 4291 has is read") {
  struct Case {
    std::string text;
    Address address;
  };
  const Address same = ipv6(0x20010db8'00000000, 0x0008'0800'200c'417a);
  for (const Case& c : {
           // 2.2, 1.
           Case{"ABCD:EF01:2345:6789:ABCD:EF01:2345:6789",
                ipv6(0xabcdef01'23456789, 0xabcdef01'23456789)},
           Case{"2001:DB8:0:0:8:800:200C:417A", same},
           Case{"2001:0db8:0000:0000:0008:0800:200c:417a", same},
           // 2.2, 2.
           Case{"2001:DB8::8:800:200C:417A", same},
           Case{"2001:db8:0::8:800:200c:417a", same},
           Case{"2001:db8::0:8:800:200c:417a", same},
           Case{"FF01:0:0:0:0:0:0:101", ipv6(0xff01'0000'0000'0000, 0x101)},
           Case{"FF01::101", ipv6(0xff01'0000'0000'0000, 0x101)},
           Case{"0:0:0:0:0:0:0:1", ipv6(0, 1)},
           Case{"::1", ipv6(0, 1)},
           Case{"0:0:0:0:0:0:0:0", ipv6(0, 0)},
           Case{"::", ipv6(0, 0)},
           Case{"0::", ipv6(0, 0)},
           Case{"1::", ipv6(0x0001'0000'0000'0000, 0)},
           Case{"::2:3:4:5:6:7:8", ipv6(0x0000'0002'0003'0004, 0x0005'0006'0007'0008)},
           Case{"1:2:3:4:5:6:7::", ipv6(0x0001'0002'0003'0004, 0x0005'0006'0007'0000)},
           Case{"1:2:3::5:6:7:8", ipv6(0x0001'0002'0003'0000, 0x0005'0006'0007'0008)},
           // 2.2, 3.
           Case{"0:0:0:0:0:0:13.1.68.3", ipv6(0, 0x0d014403)},
           Case{"::13.1.68.3", ipv6(0, 0x0d014403)},
           Case{"0:0:0:0:0:FFFF:129.144.52.38", ipv6(0, 0xffff'81903426)},
           Case{"::FFFF:129.144.52.38", ipv6(0, 0xffff'81903426)},
           Case{"2001:db8::192.0.2.1", ipv6(doc, 0xc0000201)},
           Case{"1:2:3:4:5:6:192.0.2.1", ipv6(0x0001'0002'0003'0004, 0x0005'0006'c000'0201)},
       }) {
    CAPTURE(c.text);
    CHECK(parse_address(c.text) == c.address);
    CHECK(parse_typed_prefix(c.text) == Prefix{c.address, 128});
    CHECK(parse_prefix(c.text + "/128") == Prefix{c.address, 128});
  }
}

TEST_CASE("what is no text of RFC 4291 is no IPv6 address, and a zone never is part of one") {
  using namespace std::string_view_literals;
  for (const std::string_view text : {":"sv,
                                      ":::"sv,
                                      "::::"sv,
                                      "1"sv,
                                      "1:2:3:4:5:6:7"sv,
                                      "1:2:3:4:5:6:7:"sv,
                                      ":2:3:4:5:6:7:8"sv,
                                      "1:2:3:4:5:6:7:8:9"sv,
                                      "1:2:3:4:5:6:7:8:"sv,
                                      "1:2:3:4::5:6:7:8"sv,
                                      "::1:2:3:4:5:6:7:8"sv,
                                      "1:2:3:4:5:6:7:8::"sv,
                                      "1::2::3"sv,
                                      "1:::2"sv,
                                      "12345::"sv,
                                      "::00001"sv,
                                      "::g"sv,
                                      "::-1"sv,
                                      "::+1"sv,
                                      "::0x1"sv,
                                      "[::1]"sv,
                                      " ::1"sv,
                                      "::1 "sv,
                                      "::1\n"sv,
                                      "::1\0"sv,
                                      "::1\0junk"sv,
                                      "::1%eth0"sv,
                                      "fe80::1%eth0"sv,
                                      "fe80::1%1"sv,
                                      "fe80::1%"sv,
                                      "::1.2.3"sv,
                                      "::1.2.3.4.5"sv,
                                      "::1.2.3.256"sv,
                                      "::1.2.3.04"sv,
                                      "::1.2.3.4:5"sv,
                                      "1:2:3:4:5:6:7:1.2.3.4"sv,
                                      "1.2.3.4::"sv,
                                      "2001:db8"sv,
                                      "2001:db8:"sv}) {
    CAPTURE(text);
    CHECK_FALSE(parse_address(text));
    CHECK_FALSE(parse_prefix(std::string(text) + "/128"));
    CHECK_FALSE(parse_typed_prefix(text));
    CHECK_FALSE(network_around(std::string(text) + "/64"));
    CHECK(host_bits_error(std::string(text) + "/64") == "");
  }
}

TEST_CASE("an address of IPv4 in IPv6 is an IPv6 address, and not the same as the one of IPv4") {
  const auto mapped = parse_address("::ffff:1.2.3.4");
  const auto ipv4 = parse_address("1.2.3.4");
  REQUIRE(mapped);
  REQUIRE(ipv4);
  CHECK(mapped->family == Family::ipv6);
  CHECK(ipv4->family == Family::ipv4);
  CHECK(*mapped != *ipv4);
  CHECK(Address(0x01020304) != ipv6(0, 0x01020304));
  CHECK(Address(0) != ipv6(0, 0));
  CHECK_FALSE(Prefix{ipv6(0, 0), 0}.contains(0x01020304));
  CHECK_FALSE(Prefix{0, 0}.contains(*mapped));
  CHECK_FALSE(Prefix{ipv6(0, 0xffff'00000000), 96}.contains(0x01020304));
  CHECK(Prefix{ipv6(0, 0xffff'00000000), 96}.contains(*mapped));
}

TEST_CASE("addresses are in order by family, and then as numbers") {
  const std::vector<Address> in_order{0,
                                      1,
                                      0x7fffffff,
                                      0x80000000,
                                      0xffffffff,
                                      ipv6(0, 0),
                                      ipv6(0, 1),
                                      ipv6(0, 0xffffffff),
                                      ipv6(0, 0xffff'01020304),
                                      ipv6(0, 0x80000000'00000000),
                                      ipv6(0, ~0ULL),
                                      ipv6(1, 0),
                                      ipv6(0x7fffffff'ffffffff, 5),
                                      ipv6(0x80000000'00000000, 4),
                                      ipv6(~0ULL, 0),
                                      ipv6(~0ULL, ~0ULL)};
  for (std::size_t i = 0; i < in_order.size(); ++i)
    for (std::size_t k = 0; k < in_order.size(); ++k) {
      CAPTURE(in_order[i]);
      CAPTURE(in_order[k]);
      CHECK((in_order[i] < in_order[k]) == (i < k));
      CHECK((in_order[i] == in_order[k]) == (i == k));
    }
}

// Of IPv6, with groups of zeros in all places.
Address any_address(std::mt19937_64& random) {
  if (random() % 2 == 0) return static_cast<std::uint32_t>(random());
  std::uint64_t halves[2] = {random(), random()};
  std::uint64_t zeros = random();
  for (int group = 0; group < 8; ++group, zeros >>= 2) {
    const int shift = 16 * (group % 4);
    if (zeros % 4 < 2) halves[group / 4] &= ~(std::uint64_t{0xffff} << shift);
    if (zeros % 4 == 2) halves[group / 4] &= ~(std::uint64_t{0xfff0} << shift);
  }
  return {halves[0], halves[1]};
}

TEST_CASE("any address survives writing and reading, and is written as the C library does it") {
  constexpr unsigned seed = 1;
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  int compared = 0;
  for (int i = 0; i < 20'000; ++i) {
    const Address address = any_address(random);
    const std::string text = address_text(address);
    CAPTURE(text);
    REQUIRE(parse_address(text) == address);
    REQUIRE(text.size() <= (address.family == Family::ipv4 ? max_ipv4_text : max_address_text));
    char other[INET6_ADDRSTRLEN];
    const auto bytes = address.bytes();
    REQUIRE(::inet_ntop(address.family == Family::ipv4 ? AF_INET : AF_INET6, bytes.data(), other,
                        sizeof other));
    // It writes IPv4 into more prefixes than RFC 5952 does.
    if (address.family == Family::ipv6 &&
        std::string_view(other).find('.') != std::string_view::npos)
      continue;
    REQUIRE(text == other);
    ++compared;
  }
  CHECK(compared > 19'000);
}

TEST_CASE("the bytes of an address are as in a packet's header") {
  const Address address = ipv6(0x01020304'05060708, 0x090a0b0c'0d0e0f10);
  const auto bytes = address.bytes();
  for (std::size_t i = 0; i < bytes.size(); ++i) CHECK(bytes[i] == i + 1);
  CHECK(Address::ipv6(bytes) == address);
  const std::array<std::uint8_t, 16> of_ipv4{1, 2, 3, 4};
  CHECK(Address(0x01020304).bytes() == of_ipv4);
  CHECK(Address(0x01020304).ipv4() == 0x01020304);
}

TEST_CASE("writing an address returns its end and touches nothing after it") {
  char text[max_ipv4_text + 1];
  std::fill(std::begin(text), std::end(text), '#');
  CHECK(write_address(0xc0000201, text) == text + 9);
  CHECK(std::string(text, sizeof text) == "192.0.2.1#######");
  CHECK(write_address(0xffffffff, text) == text + max_ipv4_text);
  CHECK(text[max_ipv4_text] == '#');
  char longer[max_address_text + 1];
  std::fill(std::begin(longer), std::end(longer), '#');
  CHECK(write_address(ipv6(doc, 1), longer) == longer + 11);
  CHECK(std::string(longer, 13) == "2001:db8::1##");
  CHECK(write_address(ipv6(~0ULL, ~0ULL), longer) == longer + max_address_text);
  CHECK(longer[max_address_text] == '#');
}

TEST_CASE("what is not four decimal numbers is not an IPv4 address") {
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
                                      "localhost"sv,
                                      "1.2.3.4294967300"sv,
                                      "3232235777"sv}) {
    CAPTURE(text);
    CHECK_FALSE(parse_address(text));
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
        Case{"255.255.255.255/32", {0xffffffff, 32}}, Case{"::/0", {ipv6(0, 0), 0}},
        Case{"8000::/1", {ipv6(0x80000000'00000000, 0), 1}},
        Case{"2001:db8::/32", {ipv6(doc, 0), 32}}, Case{"2001:db8::/63", {ipv6(doc, 0), 63}},
        Case{"2001:db8::/64", {ipv6(doc, 0), 64}},
        Case{"2001:db8:0:0:8000::/65", {ipv6(doc, 0x80000000'00000000), 65}},
        Case{"2001:db8::fffe/127", {ipv6(doc, 0xfffe), 127}},
        Case{"::ffff:0.0.0.0/96", {ipv6(0, 0xffff'00000000), 96}},
        Case{"::1/128", {ipv6(0, 1), 128}}}) {
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
        "192.0.2.1/24", "128.0.0.0/0", "0.0.0.1/0", "192.0.2.1/31", "192.0.3.0/23",
        "2001:db8::1/64", "2001:db8::1/32", "2001:db8:0:1::/63", "::1/0", "8000::/0",
        "2001:db8::1/127", "::1/", "::1/129", "::/-1", "::/+0", "::/064", "::/ 64", "::/64 ",
        "::/64/64", "2001:db8/32", "fe80::%eth0/64", "fe80::/64%eth0", "fe80::1%eth0/128",
        "::ffff:1.2.3.4/32", "[::]/0", "::/ffff::", "::/99999999999999999999"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_prefix(text));
  }
}

TEST_CASE("people may leave out the length of a prefix that is one address") {
  CHECK((parse_typed_prefix("192.0.2.1") == Prefix{0xc0000201, 32}));
  CHECK((parse_typed_prefix("192.0.2.0/24") == Prefix{0xc0000200, 24}));
  CHECK((parse_typed_prefix("2001:DB8::0:1") == Prefix{ipv6(doc, 1), 128}));
  CHECK((parse_typed_prefix("2001:db8:0::/48") == Prefix{ipv6(doc, 0), 48}));
  for (const char* text : {"", "192.0.2", "192.0.2.1/", "192.0.2.1/24", "192.0.2.1 ", "::1/",
                           "::1/64", "fe80::1%eth0", "2001:db8:"})
    CHECK_FALSE(parse_typed_prefix(text));
}

TEST_CASE("of an address with host bits the network is known, and named in the error") {
  struct Case {
    std::string text;
    std::string network;
  };
  for (const Case& c :
       {Case{"10.0.0.9/24", "10.0.0.0/24"}, Case{"255.255.255.255/0", "0.0.0.0/0"},
        Case{"255.255.255.255/1", "128.0.0.0/1"}, Case{"10.0.0.9/31", "10.0.0.8/31"},
        Case{"2001:DB8::1/64", "2001:db8::/64"}, Case{"ffff::1/1", "8000::/1"},
        Case{"::1/0", "::/0"}, Case{"2001:db8:0:1:8000::1/65", "2001:db8:0:1:8000::/65"},
        Case{"::ffff:10.0.0.9/120", "::ffff:10.0.0.0/120"}}) {
    const auto around = network_around(c.text);
    REQUIRE(around);
    CHECK(prefix_text(*around) == c.network);
    CHECK(host_bits_error(c.text) ==
          c.text + " has host bits set below the prefix; the network is " + c.network);
  }
  for (const char* text :
       {"10.0.0.0/24", "10.0.0.9/32", "0.0.0.0/0", "::/0", "2001:db8::/64", "::1/128"}) {
    CHECK(network_around(text) == parse_prefix(text));
    CHECK(host_bits_error(text) == "");
  }
  for (const char* text :
       {"", "10.0.0.9", "10.0.0.9/33", "10.0.0.9/024", "x/24", "::1", "::1/129", "::1/064"})
    CHECK(host_bits_error(text) == "");
}

__extension__ using Number = unsigned __int128;

Number number_of(const Address& address) {
  return Number{address.high} << 64 | address.low;
}
Address numbered(Family family, Number number) {
  if (family == Family::ipv4) return static_cast<std::uint32_t>(number);
  return {static_cast<std::uint64_t>(number >> 64), static_cast<std::uint64_t>(number)};
}

TEST_CASE("a prefix of any length has its first and last address, and neither neighbour") {
  for (const Address& inside :
       {Address(0xc0a85aa5), ipv6(0xa5a55a5a'c3c33c3c, 0x5a5aa5a5'3c3cc3c3)}) {
    const Family family = inside.family;
    for (unsigned length = 1; length <= bits_of(family); ++length) {
      CAPTURE(inside);
      CAPTURE(length);
      const Number size = Number{1} << (bits_of(family) - length);
      const Number first = number_of(inside) / size * size;
      const Prefix prefix = network_of(inside, length);
      CHECK(prefix.network == numbered(family, first));
      CHECK(prefix.length == length);
      CHECK(prefix.contains(inside));
      CHECK(prefix.contains(numbered(family, first)));
      CHECK(prefix.contains(numbered(family, first + size - 1)));
      CHECK_FALSE(prefix.contains(numbered(family, first - 1)));
      CHECK_FALSE(prefix.contains(numbered(family, first + size)));
      CHECK(parse_prefix(prefix_text(prefix)) == prefix);
      CHECK(network_around(address_text(inside) + "/" + std::to_string(length)) == prefix);
    }
  }
}

TEST_CASE("the prefix of length 0 contains every address of its family, and none of the other") {
  for (const std::uint32_t address : {0x00000000u, 0x7fffffffu, 0x80000000u, 0xffffffffu}) {
    CHECK(Prefix{0, 0}.contains(address));
    CHECK_FALSE(Prefix{ipv6(0, 0), 0}.contains(address));
    CHECK(network_of(address, 0) == Prefix{0, 0});
  }
  for (const Address& address : {ipv6(0, 0), ipv6(0, 1), ipv6(~0ULL, 0), ipv6(~0ULL, ~0ULL)}) {
    CHECK(Prefix{ipv6(0, 0), 0}.contains(address));
    CHECK_FALSE(Prefix{0, 0}.contains(address));
    CHECK(network_of(address, 0) == Prefix{ipv6(0, 0), 0});
  }
}

}  // namespace
}  // namespace xdp_count
