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

// What addresses are called, as /etc/hosts and the name servers of this host say. Nobody waits for
// an answer: a name is there once it has come. Used from one thread, by an executor that no longer
// runs when this is destroyed.
class HostNames {
 public:
  using Clock = std::chrono::steady_clock;

  static constexpr std::size_t most_kept = 10'000;
  static constexpr std::size_t most_asked = 32;  // at a time
  // How many questions begin with one look at a page: each reads /etc/hosts.
  static constexpr std::size_t most_begun = 16;
  static constexpr std::chrono::minutes kept{10};
  // Until a question that brought no name is asked again. Whether there is none, or nobody
  // answered, is not told apart, so a name that was known is kept meanwhile, but not for longer
  // than so.
  static constexpr std::chrono::minutes failure_kept{1};
  static constexpr std::chrono::minutes unconfirmed_kept{30};

  // `servers`: "ADDRESS:PORT" in place of those of this host, unless it is empty. Throws
  // std::runtime_error.
  explicit HostNames(const boost::asio::any_io_executor& executor, const std::string& servers = {});
  ~HostNames();
  HostNames(const HostNames&) = delete;
  HostNames& operator=(const HostNames&) = delete;

  // Somebody looks at several addresses.
  void begin_look() { begun_ = 0; }

  // The name that is known; empty where there is none, or not yet. What is not known is asked for,
  // unless too much is already: whoever looks again later asks again. Addresses that are of no use
  // beyond this link are not asked for.
  std::string look(const Address& address, Clock::time_point now);

  // Asks for nothing more, and waits for no answer.
  void stop();

 private:
  struct Entry {
    std::string name;
    Clock::time_point until = Clock::time_point::max();  // while it is asked for
    Clock::time_point confirmed = {};                    // when the name was answered
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

  ares_channel make_channel();
  void read_servers_again();
  void ask(const Address& address);
  void forget_oldest();
  static void take_answer(void* question, int status, int timeouts, hostent* host);
  static void watch(void* names, ares_socket_t fd, int readable, int writable);
  void wait_for(const std::shared_ptr<Socket>& socket, bool to_read);
  void set_timer();

  boost::asio::any_io_executor executor_;
  boost::asio::steady_timer timer_;
  std::string servers_;
  ares_channel channel_ = nullptr;
  std::string resolv_conf_;  // its version that the channel has read
  std::map<ares_socket_t, std::shared_ptr<Socket>> sockets_;
  std::map<Address, Entry> entries_;
  std::deque<Address> order_;  // of the entries, the oldest first
  std::size_t asked_ = 0;
  std::size_t begun_ = 0;  // of them, since begin_look()
  bool stopped_ = false;
};

}  // namespace xdp_count
