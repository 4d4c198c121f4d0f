// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "interface/interface_watch.hpp"

#include <libmnl/libmnl.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>

#include "base/error.hpp"
#include "base/unique_fd.hpp"

namespace xdp_count {

namespace asio = boost::asio;

namespace {

constexpr const char* operation = "listening to rtnetlink";

int subscribed_socket() {
  UniqueFd socket(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE));
  sockaddr_nl address{};
  address.nl_family = AF_NETLINK;
  address.nl_groups = RTMGRP_LINK;
  if (!socket ||
      ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    throw_errno(operation);
  return socket.release();
}

int note_move(const nlattr* attribute, void* fate) {
  if (mnl_attr_get_type(attribute) == IFLA_NEW_NETNSID)
    *static_cast<InterfaceWatch::Fate*>(fate) = InterfaceWatch::Fate::moved;
  return MNL_CB_OK;
}

}  // namespace

InterfaceWatch::InterfaceWatch(const asio::any_io_executor& executor, unsigned ifindex)
    : socket_(executor, subscribed_socket()),
      buffer_(static_cast<std::size_t>(MNL_SOCKET_BUFFER_SIZE) * 4),
      ifindex_(ifindex) {}

asio::awaitable<bool> InterfaceWatch::change() {
  bool changed = false;
  while (!changed && socket_.is_open()) {
    co_await socket_.async_wait(asio::posix::stream_descriptor::wait_read,
                                asio::as_tuple(asio::use_awaitable));
    if (socket_.is_open()) changed = read_events();
  }
  co_return socket_.is_open();
}

void InterfaceWatch::stop() {
  boost::system::error_code ignored;
  socket_.close(ignored);
}

// Reads all there is: many events that came at once are one change.
bool InterfaceWatch::read_events() {
  bool changed = false;
  for (;;) {
    const ssize_t size = ::recv(socket_.native_handle(), buffer_.data(), buffer_.size(), 0);
    if (size < 0 && errno == ENOBUFS) {
      changed = true;  // the kernel had more messages than the socket holds
      continue;
    }
    if (size < 0 && errno != EAGAIN && errno != EINTR) throw_errno(operation);
    if (size <= 0) return changed;
    auto left = static_cast<int>(size);
    for (const auto* message = reinterpret_cast<const nlmsghdr*>(buffer_.data());
         mnl_nlmsg_ok(message, left); message = mnl_nlmsg_next(message, &left))
      changed |= concerns_us(message);
  }
}

bool InterfaceWatch::concerns_us(const nlmsghdr* message) {
  if (message->nlmsg_type != RTM_NEWLINK && message->nlmsg_type != RTM_DELLINK) return false;
  const auto* link = static_cast<const ifinfomsg*>(mnl_nlmsg_get_payload(message));
  // AF_BRIDGE: a bridge reports its ports, and "deletes" one that leaves it.
  if (link->ifi_family != AF_UNSPEC || static_cast<unsigned>(link->ifi_index) != ifindex_)
    return false;
  if (message->nlmsg_type == RTM_DELLINK) {
    fate_ = Fate::deleted;
    mnl_attr_parse(message, sizeof *link, note_move, &fate_);
  }
  return true;
}

}  // namespace xdp_count
