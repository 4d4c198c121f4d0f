// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// WireGuard interfaces: link type none, without a header of their own.
#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <libmnl/libmnl.h>
#include <linux/genetlink.h>
#include <linux/wireguard.h>
#include <net/if.h>

#include <array>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "agent_fixture.hpp"

using namespace xdp_count::testing;

namespace {

using WireguardKey = std::array<std::uint8_t, WG_KEY_LEN>;

// Generic netlink in the network namespace that the thread is in when it is made.
class WireguardConfiguration {
 public:
  explicit WireguardConfiguration(const char* device) : device_(device) {
    REQUIRE(socket_);
    REQUIRE(mnl_socket_bind(socket_.get(), 0, MNL_SOCKET_AUTOPID) == 0);
    nlmsghdr* request = begin(GENL_ID_CTRL, CTRL_CMD_GETFAMILY);
    mnl_attr_put_strz(request, CTRL_ATTR_FAMILY_NAME, WG_GENL_NAME);
    ask(request, [this](const nlattr* attribute) {
      if (mnl_attr_get_type(attribute) == CTRL_ATTR_FAMILY_ID)
        family_ = mnl_attr_get_u16(attribute);
    });
  }

  void set_private_key(const WireguardKey& key, std::uint16_t port) {
    nlmsghdr* request = begin(family_, WG_CMD_SET_DEVICE);
    mnl_attr_put_strz(request, WGDEVICE_A_IFNAME, device_);
    mnl_attr_put(request, WGDEVICE_A_PRIVATE_KEY, key.size(), key.data());
    mnl_attr_put_u16(request, WGDEVICE_A_LISTEN_PORT, port);
    ask(request);
  }

  WireguardKey public_key() {
    nlmsghdr* request = begin(family_, WG_CMD_GET_DEVICE);
    request->nlmsg_flags |= NLM_F_DUMP;
    mnl_attr_put_strz(request, WGDEVICE_A_IFNAME, device_);
    WireguardKey key{};
    ask(request, [&key](const nlattr* attribute) {
      if (mnl_attr_get_type(attribute) == WGDEVICE_A_PUBLIC_KEY)
        std::memcpy(key.data(), mnl_attr_get_payload(attribute), key.size());
    });
    return key;
  }

  // One that all addresses are behind.
  void add_peer(const WireguardKey& key, const sockaddr_in& endpoint) {
    nlmsghdr* request = begin(family_, WG_CMD_SET_DEVICE);
    mnl_attr_put_strz(request, WGDEVICE_A_IFNAME, device_);
    nlattr* peers = mnl_attr_nest_start(request, WGDEVICE_A_PEERS);
    nlattr* peer = mnl_attr_nest_start(request, 0);
    mnl_attr_put(request, WGPEER_A_PUBLIC_KEY, key.size(), key.data());
    mnl_attr_put(request, WGPEER_A_ENDPOINT, sizeof endpoint, &endpoint);
    nlattr* allowed = mnl_attr_nest_start(request, WGPEER_A_ALLOWEDIPS);
    for (const auto& [family, bytes] : {std::pair{AF_INET, 4U}, {AF_INET6, 16U}}) {
      const std::array<std::uint8_t, 16> any{};
      nlattr* network = mnl_attr_nest_start(request, 0);
      mnl_attr_put_u16(request, WGALLOWEDIP_A_FAMILY, static_cast<std::uint16_t>(family));
      mnl_attr_put(request, WGALLOWEDIP_A_IPADDR, bytes, any.data());
      mnl_attr_put_u8(request, WGALLOWEDIP_A_CIDR_MASK, 0);
      mnl_attr_nest_end(request, network);
    }
    mnl_attr_nest_end(request, allowed);
    mnl_attr_nest_end(request, peer);
    mnl_attr_nest_end(request, peers);
    ask(request);
  }

 private:
  using Visitor = std::function<void(const nlattr*)>;

  struct CloseSocket {
    void operator()(mnl_socket* socket) const noexcept { mnl_socket_close(socket); }
  };

  nlmsghdr* begin(std::uint16_t family, std::uint8_t command) {
    nlmsghdr* header = mnl_nlmsg_put_header(buffer_.data());
    header->nlmsg_type = family;
    header->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
    header->nlmsg_seq = 1;
    auto* generic =
        static_cast<genlmsghdr*>(mnl_nlmsg_put_extra_header(header, sizeof(genlmsghdr)));
    generic->cmd = command;
    generic->version = 1;
    return header;
  }

  void ask(
      const nlmsghdr* request, Visitor visit = [](const nlattr*) {}) {
    REQUIRE(mnl_socket_sendto(socket_.get(), request, request->nlmsg_len) > 0);
    int result = MNL_CB_OK;
    while (result > MNL_CB_STOP) {
      const ssize_t size = mnl_socket_recvfrom(socket_.get(), buffer_.data(), buffer_.size());
      REQUIRE(size > 0);
      result = mnl_cb_run(buffer_.data(), static_cast<std::size_t>(size), 1,
                          mnl_socket_get_portid(socket_.get()), read_message, &visit);
    }
    REQUIRE(result == MNL_CB_STOP);
  }

  static int read_message(const nlmsghdr* message, void* visit) {
    return mnl_attr_parse(message, sizeof(genlmsghdr), read_attribute, visit);
  }

  static int read_attribute(const nlattr* attribute, void* visit) {
    (*static_cast<Visitor*>(visit))(attribute);
    return MNL_CB_OK;
  }

  const char* device_;
  std::unique_ptr<mnl_socket, CloseSocket> socket_{mnl_socket_open2(NETLINK_GENERIC, SOCK_CLOEXEC)};
  std::vector<char> buffer_ = std::vector<char>(65536);
  std::uint16_t family_ = 0;
};

constexpr std::uint16_t wireguard_port = 51820;

// Makes wg0 in a network namespace, and says its public key.
WireguardKey make_wireguard(int network_namespace, std::uint8_t secret) {
  Process add({"/sbin/ip", "link", "add", "wg0", "type", "wireguard"},
              {.network_namespace = network_namespace});
  REQUIRE(add.wait() == 0);
  WireguardKey key;
  key.fill(secret);
  in_network_namespace(network_namespace, [&] {
    WireguardConfiguration configuration("wg0");
    configuration.set_private_key(key, wireguard_port);
    key = configuration.public_key();
  });
  Process up({"/sbin/ip", "link", "set", "dev", "wg0", "up"},
             {.network_namespace = network_namespace});
  REQUIRE(up.wait() == 0);
  return key;
}

void set_peer(int network_namespace, const WireguardKey& key, const char* address) {
  sockaddr_in endpoint{};
  endpoint.sin_family = AF_INET;
  endpoint.sin_port = htons(wireguard_port);
  REQUIRE(::inet_pton(AF_INET, address, &endpoint.sin_addr) == 1);
  in_network_namespace(network_namespace,
                       [&] { WireguardConfiguration("wg0").add_peer(key, endpoint); });
}

}  // namespace

TEST_CASE("packets that come by WireGuard are counted as they were before they were encrypted") {
  const Topology topology;
  const WireguardKey sender = make_wireguard(topology.sender(), 1);
  const WireguardKey receiver = make_wireguard(topology.receiver(), 2);
  set_peer(topology.sender(), receiver, "192.0.2.2");
  set_peer(topology.receiver(), sender, "192.0.2.1");

  Agent native(topology, {"-m", "native"}, {}, "wg0");
  CHECK(native.wait() == 1);
  CHECK(native.standard_error() ==
        "xdp-count: error: attaching to wg0 in native mode: Underlying driver does not support XDP "
        "in native mode (Operation not supported); use --mode generic\n");

  Agent agent(topology, {"--interval", "0.1"}, {}, "wg0");
  LineClient client("/run/xdp-count/wg0.sock");
  const auto status = client.answer_to({{"cmd", "status"}});
  CHECK(status.at("mode") == "generic");
  CHECK(status.at("link") == "ip");
  client.answer_to({{"cmd", "subscribe"}});
  // WireGuard pads what it encrypts to 16 bytes.
  std::vector<Frame> packets;
  std::map<std::string, Count> expected;
  for (const std::size_t length : {61, 100, 1419}) {
    packets.push_back(PacketBuilder()
                          .without_ethernet()
                          .ipv4({.source = ten_net})
                          .udp(1, 9)
                          .frame_length(length)
                          .build());
    packets.push_back(
        PacketBuilder().without_ethernet().ipv6().udp(1, 9).frame_length(length).build());
    for (const char* source : {"10.0.0.1", "2001:db8::1"}) {
      expected[source].packets += 10;
      expected[source].bytes += 10 * length;
    }
  }
  for (int i = 0; i < 10; ++i)
    in_network_namespace(topology.sender(), [&] { PacketSocket("wg0").send(packets); });
  CHECK(sources_of(snapshot_with(client, 60)) == expected);
}
