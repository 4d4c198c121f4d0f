// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once

#include <ares.h>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstddef>
#include <deque>
#include <map>
#include <memory>
#include <string>

#include "base/address.hpp"

namespace xdp_count {

// What addresses are called, as /etc/hosts and the name servers of this host say. Nobody waits: a
// name is there once it has been answered. Used from one thread.
class HostNames {
 public:
  using Clock = std::chrono::steady_clock;

  static constexpr std::size_t most_kept = 10'000;
  static constexpr std::size_t most_asked = 32;  // at a time
  static constexpr std::chrono::minutes kept{10};

  // `servers`: "ADDRESS:PORT" in place of those of this host, unless it is empty. Throws
  // std::runtime_error.
  explicit HostNames(const boost::asio::any_io_executor& executor, const std::string& servers = {});
  ~HostNames();
  HostNames(const HostNames&) = delete;
  HostNames& operator=(const HostNames&) = delete;

  // The name that is known; empty where there is none, or not yet. What is not known is asked for,
  // unless too much is already: whoever looks again later asks again.
  std::string look(const Address& address, Clock::time_point now);

 private:
  struct Entry {
    std::string name;
    Clock::time_point until = Clock::time_point::max();  // while it is asked for
  };
  struct Question {
    HostNames* names;
    Address address;
  };
  // A socket of the library's.
  struct Socket {
    boost::asio::posix::stream_descriptor descriptor;
    bool wants_read = false;
    bool wants_write = false;
  };

  void ask(const Address& address);
  void forget_oldest();
  static void take_answer(void* question, int status, int timeouts, hostent* host);
  static void watch(void* names, ares_socket_t fd, int readable, int writable);
  void wait_for(const std::shared_ptr<Socket>& socket, bool to_read);
  void set_timer();

  boost::asio::any_io_executor executor_;
  boost::asio::steady_timer timer_;
  ares_channel channel_ = nullptr;
  std::map<ares_socket_t, std::shared_ptr<Socket>> sockets_;
  std::map<Address, Entry> entries_;
  std::deque<Address> order_;  // of the entries, the oldest first
  std::size_t asked_ = 0;
};

}  // namespace xdp_count
