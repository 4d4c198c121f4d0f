// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "packet_socket.hpp"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>

#include "base/error.hpp"

namespace xdp_count::testing {
namespace {

constexpr std::size_t most_per_call = 64;

}  // namespace

PacketSocket::PacketSocket(const std::string& interface)
    : socket_(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(ETH_P_ALL))) {
  if (!socket_) throw_errno("making a packet socket");
  sockaddr_ll address{};
  address.sll_family = AF_PACKET;
  address.sll_protocol = htons(ETH_P_ALL);
  address.sll_ifindex = static_cast<int>(::if_nametoindex(interface.c_str()));
  if (address.sll_ifindex == 0) throw_errno("looking for the interface " + interface);
  if (::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    throw_errno("binding a packet socket to " + interface);
  // A frame that came through native XDP takes up a page or more: room for thousands of them.
  const int bytes = 64 << 20;
  if (::setsockopt(socket_.get(), SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof bytes) != 0)
    throw_errno("making room in a packet socket");
}

void PacketSocket::send(std::span<const Frame> frames) {
  std::array<iovec, most_per_call> buffers{};
  std::array<mmsghdr, most_per_call> messages{};
  while (!frames.empty()) {
    const std::size_t count = std::min(frames.size(), most_per_call);
    for (std::size_t i = 0; i < count; ++i) {
      buffers[i] = {const_cast<std::uint8_t*>(frames[i].data()), frames[i].size()};
      messages[i].msg_hdr = {.msg_iov = &buffers[i], .msg_iovlen = 1};
    }
    const int sent = ::sendmmsg(socket_.get(), messages.data(), static_cast<unsigned>(count), 0);
    if (sent >= 0) {
      frames = frames.subspan(static_cast<std::size_t>(sent));
    } else if (errno == ENOBUFS || errno == EAGAIN) {
      ::sched_yield();  // so that the receiving side can empty its queue
    } else {
      throw_errno("sending on a packet socket");
    }
  }
}

std::vector<Frame> PacketSocket::receive(std::chrono::milliseconds quiet) {
  std::vector<Frame> frames;
  pollfd readable{socket_.get(), POLLIN, 0};
  while (::poll(&readable, 1, static_cast<int>(quiet.count())) > 0) {
    Frame frame(65536);
    sockaddr_ll from{};
    socklen_t from_size = sizeof from;
    const ssize_t size = ::recvfrom(socket_.get(), frame.data(), frame.size(), 0,
                                    reinterpret_cast<sockaddr*>(&from), &from_size);
    if (size < 0) throw_errno("receiving on a packet socket");
    if (from.sll_pkttype == PACKET_OUTGOING) continue;
    frame.resize(static_cast<std::size_t>(size));
    frames.push_back(std::move(frame));
  }
  return frames;
}

}  // namespace xdp_count::testing
