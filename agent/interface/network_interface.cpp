// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "interface/network_interface.hpp"

// This comes before the kernel's headers, which leave out what the C library has defined already.
#include <net/if.h>

#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>

#include <cstring>

#include "base/error.hpp"

namespace xdp_count {
namespace {

int read_xdp_attribute(const nlattr* attribute, void* data) {
  auto& programs = static_cast<NetworkInterface*>(data)->programs;
  switch (mnl_attr_get_type(attribute)) {
    case IFLA_XDP_DRV_PROG_ID:
      programs.push_back({mnl_attr_get_u32(attribute), XdpMode::native});
      break;
    case IFLA_XDP_SKB_PROG_ID:
      programs.push_back({mnl_attr_get_u32(attribute), XdpMode::generic});
      break;
    case IFLA_XDP_HW_PROG_ID:
      programs.push_back({mnl_attr_get_u32(attribute), XdpMode::offloaded});
      break;
    default:
      break;
  }
  return MNL_CB_OK;
}

int read_ipvlan_attribute(const nlattr* attribute, void* data) {
  if (mnl_attr_get_type(attribute) == IFLA_IPVLAN_MODE)
    static_cast<LinkType*>(data)->ipvlan_mode = mnl_attr_get_u16(attribute);
  return MNL_CB_OK;
}

// The kernel says the kind first, which what follows depends on.
int read_kind(const nlattr* attribute, void* data) {
  LinkType& link = static_cast<NetworkInterface*>(data)->link;
  if (mnl_attr_get_type(attribute) == IFLA_INFO_KIND) link.kind = mnl_attr_get_str(attribute);
  if (mnl_attr_get_type(attribute) == IFLA_INFO_DATA &&
      (link.kind == "ipvlan" || link.kind == "ipvtap"))
    return mnl_attr_parse_nested(attribute, read_ipvlan_attribute, &link);
  return MNL_CB_OK;
}

int read_attribute(const nlattr* attribute, void* data) {
  auto& found = *static_cast<NetworkInterface*>(data);
  switch (mnl_attr_get_type(attribute)) {
    case IFLA_IFNAME:
      found.name = mnl_attr_get_str(attribute);
      break;
    case IFLA_MTU:
      found.mtu = mnl_attr_get_u32(attribute);
      break;
    case IFLA_STATS64: {
      // The struct is copied: a netlink attribute is aligned to 4 bytes only, and newer kernels
      // append fields.
      rtnl_link_stats64 stats{};
      const std::size_t size = mnl_attr_get_payload_len(attribute);
      std::memcpy(&stats, mnl_attr_get_payload(attribute), std::min(size, sizeof stats));
      found.counters = {stats.rx_packets, stats.rx_bytes, stats.rx_dropped};
      break;
    }
    case IFLA_LINKINFO:
      return mnl_attr_parse_nested(attribute, read_kind, &found);
    case IFLA_XDP:
      return mnl_attr_parse_nested(attribute, read_xdp_attribute, &found);
    default:
      break;
  }
  return MNL_CB_OK;
}

int read_link(const nlmsghdr* message, void* data) {
  auto& found = *static_cast<NetworkInterface*>(data);
  const auto* link = static_cast<const ifinfomsg*>(mnl_nlmsg_get_payload(message));
  found.index = static_cast<unsigned>(link->ifi_index);
  found.link.hardware = link->ifi_type;
  found.link.has_one_peer =
      (link->ifi_flags & (IFF_POINTOPOINT | IFF_BROADCAST)) == IFF_POINTOPOINT;
  found.up = (link->ifi_flags & IFF_UP) != 0;
  found.running = (link->ifi_flags & IFF_RUNNING) != 0;  // dev_get_flags() of net/core/dev.c
  return mnl_attr_parse(message, sizeof *link, read_attribute, data);
}

}  // namespace

bool NetworkInterface::has_ethernet_header() const {
  return header_of(link) == LinkHeader::ethernet;
}

void LinkQuery::CloseSocket::operator()(mnl_socket* socket) const noexcept {
  mnl_socket_close(socket);
}

LinkQuery::LinkQuery() : socket_(mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC)) {
  if (!socket_ || mnl_socket_bind(socket_.get(), 0, MNL_SOCKET_AUTOPID) < 0)
    throw_errno("opening a socket to rtnetlink");
}

std::optional<NetworkInterface> LinkQuery::find(unsigned index) {
  const std::string operation = "asking rtnetlink for interface number " + std::to_string(index);
  // linux/netlink.h of the kernel says so: a reply may fill a page, or 8 KiB where that is less.
  std::vector<char> buffer(static_cast<std::size_t>(MNL_SOCKET_BUFFER_SIZE) * 4);
  nlmsghdr* request = mnl_nlmsg_put_header(buffer.data());
  request->nlmsg_type = RTM_GETLINK;
  request->nlmsg_flags = NLM_F_REQUEST;
  request->nlmsg_seq = ++sequence_;
  auto* link =
      static_cast<ifinfomsg*>(mnl_nlmsg_put_extra_header(request, sizeof(struct ifinfomsg)));
  link->ifi_index = static_cast<int>(index);
  if (mnl_socket_sendto(socket_.get(), request, request->nlmsg_len) < 0) throw_errno(operation);

  const ssize_t size = mnl_socket_recvfrom(socket_.get(), buffer.data(), buffer.size());
  NetworkInterface found;
  if (size < 0 || mnl_cb_run(buffer.data(), static_cast<std::size_t>(size), sequence_,
                             mnl_socket_get_portid(socket_.get()), read_link, &found) < 0) {
    if (errno == ENODEV) return std::nullopt;
    throw_errno(operation);
  }
  return found;
}

std::optional<NetworkInterface> find_interface(unsigned index) {
  return LinkQuery().find(index);
}

std::optional<NetworkInterface> find_interface(const std::string& name) {
  const unsigned index = ::if_nametoindex(name.c_str());
  return index == 0 ? std::nullopt : find_interface(index);
}

std::vector<std::string> interface_names() {
  struct FreeList {
    void operator()(struct if_nameindex* list) const noexcept { ::if_freenameindex(list); }
  };
  const std::unique_ptr<struct if_nameindex[], FreeList> list(::if_nameindex());
  if (!list) throw_errno("listing the network interfaces");
  std::vector<std::string> names;
  for (std::size_t i = 0; list[i].if_index != 0; ++i) names.emplace_back(list[i].if_name);
  return names;
}

}  // namespace xdp_count
