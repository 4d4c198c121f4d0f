// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "interface/driver_facts.hpp"

// This comes before the kernel's headers, which leave out what the C library has defined already.
#include <net/if.h>

#include <libmnl/libmnl.h>
#include <linux/ethtool.h>
#include <linux/genetlink.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cstdint>
#include <cstring>
#include <memory>
#include <vector>

#include "base/error.hpp"
#include "base/unique_fd.hpp"

namespace xdp_count {
namespace {

// Constants of the kernel's include/uapi/linux/netdev.h, which came with 6.3.
constexpr std::uint8_t netdev_version = 1;
constexpr std::uint8_t netdev_cmd_dev_get = 1;
constexpr std::uint16_t netdev_a_dev_ifindex = 1;
constexpr std::uint16_t netdev_a_dev_xdp_features = 3;
constexpr std::uint64_t netdev_xdp_act_basic = 1;
constexpr std::uint64_t netdev_xdp_act_rx_sg = 32;

// Generic netlink, one question at a time.
class GenericNetlink {
 public:
  GenericNetlink() : socket_(mnl_socket_open2(NETLINK_GENERIC, SOCK_CLOEXEC)) {
    if (!socket_ || mnl_socket_bind(socket_.get(), 0, MNL_SOCKET_AUTOPID) < 0)
      throw_errno("opening a socket to generic netlink");
  }

  // Begins a request; attributes may be appended to it.
  nlmsghdr* request(std::uint16_t family, std::uint8_t command, std::uint8_t version) {
    nlmsghdr* header = mnl_nlmsg_put_header(buffer_.data());
    header->nlmsg_type = family;
    header->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
    header->nlmsg_seq = ++sequence_;
    auto* generic =
        static_cast<genlmsghdr*>(mnl_nlmsg_put_extra_header(header, sizeof(genlmsghdr)));
    generic->cmd = command;
    generic->version = version;
    return header;
  }

  // Calls visit(attribute, data) for each attribute of the answer. False, and errno says why, when
  // the kernel refuses.
  bool ask(const nlmsghdr* header, mnl_attr_cb_t visit, void* data) {
    if (mnl_socket_sendto(socket_.get(), header, header->nlmsg_len) < 0) return false;
    Visit visitor{visit, data};
    for (int result = MNL_CB_OK; result > MNL_CB_STOP;) {
      const ssize_t size = mnl_socket_recvfrom(socket_.get(), buffer_.data(), buffer_.size());
      if (size < 0) return false;
      result = mnl_cb_run(buffer_.data(), static_cast<std::size_t>(size), sequence_,
                          mnl_socket_get_portid(socket_.get()), read_message, &visitor);
      if (result < 0) return false;
    }
    return true;
  }

 private:
  struct Visit {
    mnl_attr_cb_t visit;
    void* data;
  };
  struct CloseSocket {
    void operator()(mnl_socket* socket) const noexcept { mnl_socket_close(socket); }
  };

  static int read_message(const nlmsghdr* message, void* data) {
    const auto& visitor = *static_cast<Visit*>(data);
    return mnl_attr_parse(message, sizeof(genlmsghdr), visitor.visit, visitor.data);
  }

  std::unique_ptr<mnl_socket, CloseSocket> socket_;
  std::vector<char> buffer_ =
      std::vector<char>(static_cast<std::size_t>(MNL_SOCKET_BUFFER_SIZE) * 4);
  unsigned sequence_ = 0;
};

int read_family(const nlattr* attribute, void* data) {
  if (mnl_attr_get_type(attribute) == CTRL_ATTR_FAMILY_ID)
    *static_cast<std::uint16_t*>(data) = mnl_attr_get_u16(attribute);
  return MNL_CB_OK;
}

int read_features(const nlattr* attribute, void* data) {
  if (mnl_attr_get_type(attribute) == netdev_a_dev_xdp_features)
    *static_cast<std::optional<std::uint64_t>*>(data) = mnl_attr_get_u64(attribute);
  return MNL_CB_OK;
}

// Bits of enum netdev_xdp_act; nothing where the kernel does not have them.
std::optional<std::uint64_t> xdp_features(unsigned ifindex) {
  GenericNetlink netlink;
  nlmsghdr* header = netlink.request(GENL_ID_CTRL, CTRL_CMD_GETFAMILY, 1);
  mnl_attr_put_strz(header, CTRL_ATTR_FAMILY_NAME, "netdev");
  std::uint16_t family = 0;
  if (!netlink.ask(header, read_family, &family)) {
    if (errno == ENOENT) return std::nullopt;
    throw_errno("asking generic netlink for the family netdev");
  }
  header = netlink.request(family, netdev_cmd_dev_get, netdev_version);
  mnl_attr_put_u32(header, netdev_a_dev_ifindex, ifindex);
  std::optional<std::uint64_t> features;
  if (!netlink.ask(header, read_features, &features))
    throw_errno("asking the kernel what XDP the driver of interface number " +
                std::to_string(ifindex) + " has");
  return features;
}

// False, and nothing written to `data`, where the driver does not know the command.
bool ask_driver(const std::string& interface, void* data) {
  const UniqueFd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!socket) throw_errno("making a socket to ask a driver with");
  ifreq request{};
  interface.copy(request.ifr_name, sizeof request.ifr_name - 1);
  request.ifr_data = static_cast<char*>(data);
  return ::ioctl(socket.get(), SIOCETHTOOL, &request) == 0;
}

}  // namespace

DriverFacts driver_facts(const NetworkInterface& interface) {
  DriverFacts facts;
  ethtool_drvinfo info{};
  info.cmd = ETHTOOL_GDRVINFO;
  if (ask_driver(interface.name, &info))
    facts.name.assign(info.driver, ::strnlen(info.driver, sizeof info.driver));
  ethtool_value flags{};
  flags.cmd = ETHTOOL_GFLAGS;
  if (ask_driver(interface.name, &flags)) facts.lro = (flags.data & ETH_FLAG_LRO) != 0;
  if (const auto features = xdp_features(interface.index)) {
    facts.native_xdp = (*features & netdev_xdp_act_basic) != 0;
    facts.several_buffers = (*features & netdev_xdp_act_rx_sg) != 0;
  }
  return facts;
}

}  // namespace xdp_count
