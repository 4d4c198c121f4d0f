// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "varied_traffic.hpp"

#include <netinet/in.h>

#include <algorithm>
#include <iterator>
#include <random>

#include "packet_builder.hpp"

namespace xdp_count::testing {
namespace {

constexpr std::size_t shortest_frame = 60;  // what Ethernet pads to

Frame joined(Frame first, const Frame& second) {
  first.insert(first.end(), second.begin(), second.end());
  return first;
}

class Generator {
 public:
  explicit Generator(std::uint32_t seed) : random_(seed) {}

  Frame next() {
    const unsigned kind = below(100);
    if (kind < 42) return ipv4_frame();
    if (kind < 70) return ipv6_frame();
    if (kind < 76) return pppoe_frame();
    if (kind < 82) return malformed_frame();
    if (kind < 86) return malformed_ipv6_frame();
    if (kind < 90) return arp_frame();
    return other_frame();
  }

 private:
  // The standard's distributions differ between libraries, its generators do not.
  std::uint32_t below(std::uint32_t bound) { return static_cast<std::uint32_t>(random_()) % bound; }

  template <typename T, std::size_t size>
  const T& one_of(const T (&choices)[size]) {
    return choices[below(size)];
  }

  // Few sources send much, many little. (A statement for each number: the order in which operands
  // and arguments are evaluated is the compiler's choice.)
  std::uint32_t source() {
    static constexpr std::uint32_t networks[] = {0x0a000000,   // 10.0.0.0
                                                 0xac100000,   // 172.16.0.0
                                                 0xc0a80000,   // 192.168.0.0
                                                 0x64400000,   // 100.64.0.0
                                                 0xcb007100,   // 203.0.113.0
                                                 0xe0000000};  // 224.0.0.0
    static constexpr std::uint32_t special[] = {0x00000000, 0x7f000001, 0xffffffff};
    if (below(100) == 0) return one_of(special);
    const std::uint32_t network = one_of(networks);
    const std::uint32_t hosts = 1 + below(150);
    return network + below(hosts);
  }

  // Of some networks of each kind: many hosts of one /64, one host in each of many, and few.
  Ipv6Address ipv6_source() {
    static constexpr Ipv6Address special[] = {
        {},                                                        // ::
        {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1},          // ::1
        {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 1},  // ::ffff:192.0.2.1
        {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 192, 0, 2, 1},        // ::c000:201
        {0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}};   // ff02::1
    if (below(100) == 0) return one_of(special);
    Ipv6Address address{0x20, 0x01, 0x0d, 0xb8};
    switch (below(3)) {
      case 0:
        address[15] = static_cast<std::uint8_t>(below(200));
        break;
      case 1:
        address[6] = static_cast<std::uint8_t>(below(20));
        address[7] = static_cast<std::uint8_t>(below(10));
        address[15] = 1;
        break;
      default: {
        address = {0xfe, 0x80};
        const std::uint32_t host = below(100);
        for (std::size_t i = 8; i < 16; ++i) address[i] = static_cast<std::uint8_t>(host * (i - 7));
      }
    }
    return address;
  }

  Ipv6Fields ipv6_fields() {
    Ipv6Fields fields{.source = ipv6_source()};
    fields.destination[6] = static_cast<std::uint8_t>(below(16));
    fields.destination[15] = static_cast<std::uint8_t>(below(64));
    return fields;
  }

  Frame random_bytes(std::size_t size) {
    Frame bytes(size);
    for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(below(256));
    return bytes;
  }

  Frame random_payload(std::uint32_t most) { return random_bytes(below(most + 1)); }

  // A payload of one of the sizes of real traffic: small, full, anything between, and sometimes
  // jumbo. Leaves room for headers and five tags.
  Frame any_payload() {
    constexpr std::uint32_t headers = 200;
    switch (below(10)) {
      case 0:
        return random_bytes(1400);
      case 1:
        return random_payload(1400);
      case 2:
        return random_bytes(1500 + below(varied_traffic_mtu - headers - 1500));
      default:
        return random_payload(200);
    }
  }

  Ipv4Fields ipv4_fields() {
    Ipv4Fields fields{.source = source(), .destination = 0xc6336400 + below(256)};
    fields.identification = static_cast<std::uint16_t>(below(0x10000));
    fields.dont_fragment = below(2) == 0;
    fields.ttl = static_cast<std::uint8_t>(1 + below(255));
    return fields;
  }

  // An IPv4 packet as a tunnel carries it: of a source that must not be counted.
  Frame inner_packet() {
    return PacketBuilder()
        .without_ethernet()
        .ipv4({.source = 0xc6120000 + below(1000)})  // 198.18.0.0 and on
        .udp(5000, 5001)
        .payload(random_payload(100))
        .build();
  }

  std::uint16_t vlan_id() { return static_cast<std::uint16_t>(below(4096)); }

  Frame tagged(PacketBuilder builder) {
    static constexpr std::uint16_t kinds[] = {0x8100, 0x88a8, 0x9100};
    static constexpr std::uint32_t numbers_of_tags[] = {0, 0, 0, 0, 0, 0, 1, 1, 1, 3, 4, 5};
    if (below(8) == 0) {
      // The usual QinQ.
      builder.vlan(0x88a8, vlan_id());
      builder.vlan(0x8100, vlan_id());
      return builder.build();
    }
    const std::uint32_t tags = one_of(numbers_of_tags);
    for (std::uint32_t tag = 0; tag < tags; ++tag) {
      const std::uint16_t kind = one_of(kinds);
      builder.vlan(kind, vlan_id(), static_cast<std::uint8_t>(tag));
    }
    return builder.build();
  }

  // Pads what is too short for Ethernet, as most senders do.
  Frame finish(const PacketBuilder& builder) {
    Frame frame = tagged(builder);
    if (frame.size() < shortest_frame && below(4) != 0) frame.resize(shortest_frame);
    return frame;
  }

  // Loses up to `most` bytes of its end.
  Frame cut(const PacketBuilder& builder, std::uint32_t most) {
    Frame frame = tagged(builder);
    frame.resize(frame.size() - 1 - below(most));
    return frame;
  }

  Frame ipv4_frame() {
    Ipv4Fields fields = ipv4_fields();
    PacketBuilder builder;
    switch (below(13)) {
      case 12:  // 6in4
        fields.protocol = IPPROTO_IPV6;
        return finish(builder.ipv4(fields).payload(
            PacketBuilder().without_ethernet().ipv6().udp(5000, 5001).build()));
      case 0:  // the first fragment
        fields.more_fragments = true;
        fields.dont_fragment = false;
        return finish(builder.ipv4(fields).udp(1024, 53).payload(random_bytes(800)));
      case 1:  // one in the middle, or the last
        fields.more_fragments = below(2) == 0;
        fields.dont_fragment = false;
        fields.fragment_offset = static_cast<std::uint16_t>(1 + below(0x1f00));
        fields.protocol = IPPROTO_UDP;
        return finish(builder.ipv4(fields).payload(random_bytes(8 * (1 + below(100)))));
      case 2: {
        // Each is said to be eight bytes long, or to be the end of the list.
        static constexpr std::uint8_t kinds[] = {0, 7, 68, 131, 137, 148};
        const std::size_t options = 1 + below(5);
        for (std::size_t i = 0; i < options; ++i) {
          fields.options.insert(fields.options.end(), {one_of(kinds), 8});
          for (int byte = 2; byte < 8; ++byte) fields.options.push_back(0);
        }
        return finish(builder.ipv4(fields).tcp(1024, 443).payload(any_payload()));
      }
      case 3: {
        fields.protocol = IPPROTO_GRE;
        const Frame gre{0, 0, 0x08, 0x00};
        return finish(builder.ipv4(fields).payload(joined(gre, inner_packet())));
      }
      case 4:
        fields.protocol = IPPROTO_IPIP;
        return finish(builder.ipv4(fields).payload(inner_packet()));
      case 5: {
        // "Port unreachable" quotes what it is about.
        Frame quoted = inner_packet();
        quoted.resize(28);
        return finish(builder.ipv4(fields).icmp(3, 3).payload(quoted));
      }
      case 6:
        return finish(builder.ipv4(fields).icmp().payload(any_payload()));
      case 7:
        fields.protocol = static_cast<std::uint8_t>(below(256));
        return finish(builder.ipv4(fields).payload(any_payload()));
      case 8: {  // more bytes than the packet says: not an error
        Frame frame = tagged(builder.ipv4(fields).udp(1024, 9).payload(random_payload(1400)));
        frame.resize(frame.size() + 1 + below(64));
        return frame;
      }
      case 9:
        return finish(builder.ipv4(fields).tcp(1024, 443).payload(any_payload()));
      default:
        return finish(builder.ipv4(fields).udp(1024, 9).payload(any_payload()));
    }
  }

  Frame pppoe_frame() {
    PacketBuilder builder;
    PppoeFields fields{.session = static_cast<std::uint16_t>(below(0x10000))};
    switch (below(6)) {
      case 0:
        return finish(
            builder.pppoe(fields).ipv6(ipv6_fields()).udp(1024, 9).payload(any_payload()));
      case 1:  // longer than the frame, or shorter than the packet
        fields.length =
            static_cast<std::uint16_t>(below(2) == 0 ? below(30) : 9100 + below(50'000));
        return finish(
            builder.pppoe(fields).ipv4(ipv4_fields()).udp(1024, 9).payload(any_payload()));
      case 2:
        return cut(builder.pppoe(fields).ipv4(ipv4_fields()).tcp(1024, 443), 30);
      default:
        return finish(
            builder.pppoe(fields).ipv4(ipv4_fields()).tcp(1024, 443).payload(any_payload()));
    }
  }

  // Says that it is IPv4.
  Frame malformed_frame() {
    Ipv4Fields fields = ipv4_fields();
    PacketBuilder builder;
    switch (below(7)) {
      case 0:
        fields.version = static_cast<std::uint8_t>((5 + below(15)) % 16);
        break;
      case 1:
        fields.ihl = static_cast<std::uint8_t>(below(5));
        break;
      case 2:  // the header is longer than the packet
        fields.ihl = static_cast<std::uint8_t>(6 + below(10));
        fields.total_length = static_cast<std::uint16_t>(20 + below(4));
        break;
      case 3:
        fields.total_length = static_cast<std::uint16_t>(below(20));
        break;
      case 4:  // the packet is longer than the frame
        fields.total_length = static_cast<std::uint16_t>(9100 + below(0x10000 - 9100));
        break;
      case 5:  // ends within the header, or before
        return cut(builder.ipv4(fields), 20);
      default:  // ends behind it
        return cut(builder.ipv4(fields).tcp(1024, 443).payload(any_payload()), 20);
    }
    return finish(builder.ipv4(fields).udp(1024, 9).payload(any_payload()));
  }

  Frame ipv6_frame() {
    Ipv6Fields fields = ipv6_fields();
    PacketBuilder builder;
    const auto with = [&](std::uint8_t next_header, const Frame& payload) {
      fields.next_header = next_header;
      return finish(builder.ipv6(fields).payload(payload));
    };
    switch (below(9)) {
      case 0:
        return with(IPPROTO_IPIP, inner_packet());
      case 1:  // an IPv6 packet inside
        return with(IPPROTO_IPV6,
                    PacketBuilder().without_ethernet().ipv6().udp(5000, 5001).build());
      case 2:  // hop-by-hop, with a router alert (RFC 2711)
        return with(IPPROTO_HOPOPTS, {IPPROTO_NONE, 0, 5, 2, 0, 0, 1, 0});
      case 3: {  // a fragment
        const Frame header{IPPROTO_UDP, 0, static_cast<std::uint8_t>(below(256)), 1, 0, 0, 0, 1};
        return with(IPPROTO_FRAGMENT, joined(header, random_payload(100)));
      }
      case 4:  // routing and destination options
        return with(IPPROTO_ROUTING, joined({IPPROTO_DSTOPTS, 0, 4, 0, 0, 0, 0, 0},
                                            {IPPROTO_NONE, 0, 1, 4, 0, 0, 0, 0}));
      case 5: {  // more bytes than the packet says: not an error
        Frame frame = tagged(builder.ipv6(fields).udp(1024, 9).payload(random_payload(1400)));
        frame.resize(frame.size() + 1 + below(64));
        return frame;
      }
      case 6:
        return finish(builder.ipv6(fields).tcp(1024, 443).payload(any_payload()));
      default:
        return finish(builder.ipv6(fields).udp(1024, 9).payload(any_payload()));
    }
  }

  // Says that it is IPv6.
  Frame malformed_ipv6_frame() {
    Ipv6Fields fields = ipv6_fields();
    PacketBuilder builder;
    switch (below(4)) {
      case 0:
        fields.version = static_cast<std::uint8_t>((7 + below(15)) % 16);
        break;
      case 1:  // the packet is longer than the frame
        fields.payload_length = static_cast<std::uint16_t>(9100 + below(0x10000 - 9100));
        break;
      case 2:  // ends within the header, or before
        return cut(builder.ipv6(fields), 40);
      default:  // ends behind it
        return cut(builder.ipv6(fields).tcp(1024, 443).payload(any_payload()), 20);
    }
    return finish(builder.ipv6(fields).udp(1024, 9).payload(any_payload()));
  }

  Frame arp_frame() {
    const ArpFields fields{.operation = static_cast<std::uint16_t>(1 + below(2)),
                           .sender = source()};
    return finish(PacketBuilder().arp(fields));
  }

  Frame other_frame() {
    PacketBuilder builder;
    switch (below(6)) {
      case 0:  // LLDP: chassis, port, time to live, end
        return finish(builder.ethertype(0x88cc).payload({0x02, 0x07, 0x04, 2,   0,   0, 0, 0, 1,  //
                                                         0x04, 0x03, 0x07, '1', '2',              //
                                                         0x06, 0x02, 0,    120,                   //
                                                         0x00, 0x00}));
      case 1: {
        // One label or two; the last has the bottom-of-stack bit.
        Frame labels{0, 1, 0x01, 64};
        if (below(2) == 0) labels = joined({0, 2, 0x00, 64}, labels);
        return finish(builder.ethertype(0x8847).payload(joined(labels, inner_packet())));
      }
      case 2: {  // of PPPoE, what is no session data
        PppoeFields fields;
        switch (below(3)) {
          case 0:
            fields.code = static_cast<std::uint8_t>(1 + below(255));
            break;
          case 1:
            fields.version_and_type = static_cast<std::uint8_t>(0x12 + below(200));
            break;
          default:
            fields.protocol = std::uint16_t{0xc021};
        }
        return finish(builder.pppoe(fields).ipv4({.source = 0xc6120000}).udp(5000, 5001));
      }
      case 3:  // spanning tree: 802.3 with a length
        return finish(builder.ethertype(38).payload(joined({0x42, 0x42, 0x03}, Frame(35))));
      case 4: {
        static constexpr std::uint16_t ethertypes[] = {0x0801, 0x0805, 0x22f0, 0x8035, 0x8848,
                                                       0x8863, 0x888e, 0x88e5, 0x88f7, 0x9200};
        return finish(builder.ethertype(one_of(ethertypes)).payload(inner_packet()));
      }
      default: {  // ends within the last tag
        for (std::uint32_t tags = 1 + below(4); tags > 0; --tags) builder.vlan(0x8100, 100);
        Frame frame = builder.ethertype(0x0800).build();
        frame.resize(frame.size() - 1 - below(4));
        return frame;
      }
    }
  }

  std::mt19937 random_;
};

}  // namespace

std::vector<Frame> varied_traffic(std::size_t frames, std::uint32_t seed) {
  Generator generator(seed);
  std::vector<Frame> traffic;
  std::generate_n(std::back_inserter(traffic), frames, [&] { return generator.next(); });
  return traffic;
}

}  // namespace xdp_count::testing
