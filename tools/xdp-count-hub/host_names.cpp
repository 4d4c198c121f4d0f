// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "host_names.hpp"

#include <netdb.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <algorithm>
#include <array>
#include <stdexcept>
#include <string_view>
#include <utility>

#include "base/log.hpp"
#include "file_version.hpp"

namespace xdp_count {

namespace asio = boost::asio;

namespace {

constexpr int patience_ms = 2000;
constexpr int tries = 2;
constexpr const char* resolv_conf = "/etc/resolv.conf";

// Who has such an address is known to nobody else.
bool is_of_this_link(const Address& address) {
  static const std::array networks{
      Prefix(0, 8),
      Prefix(0x7f000000, 8),
      Prefix(0xa9fe0000, 16),
      Prefix(0xe0000000, 3),
      Prefix(Address(0, 0), 127),
      Prefix(Address(0xfe80ull << 48, 0), 10),
      Prefix(Address(0xff00ull << 48, 0), 8),
  };
  return std::ranges::any_of(networks, [&](const Prefix& of) { return of.contains(address); });
}

// Names are what their owners say: others than of hosts could pass for something that we found out.
bool is_host_name(std::string_view name) {
  return std::ranges::all_of(name, [](char c) {
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '.' ||
           c == '-' || c == '_';
  });
}

void check(int status, const char* what) {
  if (status != ARES_SUCCESS)
    throw std::runtime_error(std::string(what) + ": " + ares_strerror(status));
}

}  // namespace

HostNames::HostNames(const asio::any_io_executor& executor, const std::string& servers)
    : executor_(executor), timer_(executor), servers_(servers) {
  check(ares_library_init(ARES_LIB_INIT_ALL), "looking up names");
  channel_ = make_channel();
}

ares_channel HostNames::make_channel() {
  resolv_conf_ = file_version(resolv_conf);
  ares_options options{};
  options.timeout = patience_ms;
  options.tries = tries;
  options.sock_state_cb = watch;
  options.sock_state_cb_data = this;
  int given = ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB;
#ifdef ARES_OPT_QUERY_CACHE
  given |= ARES_OPT_QUERY_CACHE;  // none: what is known is here
#endif
  ares_channel channel = nullptr;
  check(ares_init_options(&channel, &options, given), "reading where to look up names");
  if (!servers_.empty())
    check(ares_set_servers_ports_csv(channel, servers_.c_str()), "setting name servers");
  return channel;
}

// A host that moves to another network has other name servers. The library reads them once.
void HostNames::read_servers_again() {
  if (asked_ > 0 || !servers_.empty() || file_version(resolv_conf) == resolv_conf_) return;
  try {
    ares_destroy(std::exchange(channel_, make_channel()));
  } catch (const std::runtime_error& error) {
    log::warning("{}: the name servers stay what they were", error.what());
  }
}

HostNames::~HostNames() {
  ares_destroy(channel_);
  ares_library_cleanup();
}

void HostNames::stop() {
  stopped_ = true;
  ares_cancel(channel_);
  timer_.cancel();
}

std::string HostNames::look(const Address& address, Clock::time_point now) {
  const auto known = entries_.find(address);
  if (known != entries_.end() && now < known->second.until) return known->second.name;
  const bool may_ask = !stopped_ && asked_ < most_asked && begun_ < most_begun;
  if (may_ask && !is_of_this_link(address)) ask(address);
  return known != entries_.end() ? known->second.name : std::string();
}

void HostNames::ask(const Address& address) {
  read_servers_again();
  ++begun_;
  const auto [entry, is_new] = entries_.try_emplace(address);
  entry->second.until = Clock::time_point::max();
  if (is_new) {
    order_.push_back(address);
    forget_oldest();
  }
  ++asked_;
  const bool is_ipv4 = address.family == Family::ipv4;
  const auto bytes = address.bytes();
  auto question = std::make_unique<Question>(Question{this, address});
  ares_gethostbyaddr(channel_, bytes.data(), is_ipv4 ? 4 : 16, is_ipv4 ? AF_INET : AF_INET6,
                     take_answer, question.release());
  set_timer();
}

void HostNames::forget_oldest() {
  if (order_.size() <= most_kept) return;
  entries_.erase(order_.front());
  order_.pop_front();
}

// It may come before ares_gethostbyaddr() returns.
void HostNames::take_answer(void* question, int status, int, hostent* host) {
  const std::unique_ptr<Question> of(static_cast<Question*>(question));
  if (status == ARES_EDESTRUCTION) return;
  --of->names->asked_;
  if (status == ARES_ECANCELLED) return;
  const auto entry = of->names->entries_.find(of->address);
  if (entry == of->names->entries_.end()) return;  // forgotten meanwhile
  Entry& known = entry->second;
  const auto now = Clock::now();
  if (status == ARES_SUCCESS && host && host->h_name) {
    known = {is_host_name(host->h_name) ? host->h_name : "", now + kept, now};
    return;
  }
  known.until = now + failure_kept;
  if (now >= known.confirmed + unconfirmed_kept) known.name.clear();
}

void HostNames::watch(void* names, ares_socket_t fd, int readable, int writable) {
  auto& self = *static_cast<HostNames*>(names);
  const auto known = self.sockets_.find(fd);
  if (readable == 0 && writable == 0) {
    // The library closes it itself, at once.
    if (known == self.sockets_.end()) return;
    known->second->wants_read = known->second->wants_write = false;
    known->second->descriptor.release();
    self.sockets_.erase(known);
    return;
  }
  if (known == self.sockets_.end())
    self.sockets_.emplace(
        fd, std::make_shared<Socket>(Socket{asio::posix::stream_descriptor(self.executor_, fd)}));
  const std::shared_ptr<Socket>& socket = self.sockets_.at(fd);
  if (readable != 0 && !std::exchange(socket->wants_read, true)) self.wait_for(socket, true);
  if (writable != 0 && !std::exchange(socket->wants_write, true)) self.wait_for(socket, false);
  socket->wants_read = readable != 0;
  socket->wants_write = writable != 0;
}

// Until it is not wanted any more.
void HostNames::wait_for(const std::shared_ptr<Socket>& socket, bool to_read) {
  const auto what =
      to_read ? asio::posix::descriptor_base::wait_read : asio::posix::descriptor_base::wait_write;
  socket->descriptor.async_wait(what, [this, socket, to_read](const auto& error) {
    if (error) return;  // the library has closed it, or this is gone
    const ares_socket_t fd = socket->descriptor.native_handle();
    const bool is_wanted = to_read ? socket->wants_read : socket->wants_write;
    if (!is_wanted) return;
    ares_process_fd(channel_, to_read ? fd : ARES_SOCKET_BAD, to_read ? ARES_SOCKET_BAD : fd);
    const auto known = sockets_.find(fd);
    if (known == sockets_.end() || known->second != socket) return;
    if (to_read ? socket->wants_read : socket->wants_write) wait_for(socket, to_read);
    set_timer();
  });
}

// For the next question that nobody has answered in time.
void HostNames::set_timer() {
  timeval left{};
  if (!ares_timeout(channel_, nullptr, &left)) return;
  timer_.expires_after(std::chrono::seconds(left.tv_sec) + std::chrono::microseconds(left.tv_usec));
  timer_.async_wait([this](const auto& error) {
    if (error) return;
    ares_process_fd(channel_, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
    set_timer();
  });
}

}  // namespace xdp_count
