// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <vector>

struct nlmsghdr;

namespace xdp_count {

// Listens to rtnetlink for one interface of this network namespace. That something has happened is
// all that it says of a change: what is true now has to be asked (find_interface()), because events
// can be lost. The kernel announces every change but this: XDP programs attached and detached while
// the interface is down, and those attached by bpf_link (do_setlink() of net/core/rtnetlink.c).
class InterfaceWatch {
 public:
  enum class Fate { there, deleted, moved };  // moved: to another network namespace

  // No change is missed from here on. Throws std::system_error.
  InterfaceWatch(const boost::asio::any_io_executor& executor, unsigned ifindex);

  // Completes with true when something about the interface has changed or, where events were lost,
  // may have; with false after stop(). One caller at a time.
  boost::asio::awaitable<bool> change();

  // The fate as far as events have reported it.
  Fate fate() const noexcept { return fate_; }

  void stop();

 private:
  bool read_events();
  bool concerns_us(const nlmsghdr* message);

  boost::asio::posix::stream_descriptor socket_;
  std::vector<char> buffer_;
  unsigned ifindex_;
  Fate fate_ = Fate::there;
};

}  // namespace xdp_count
