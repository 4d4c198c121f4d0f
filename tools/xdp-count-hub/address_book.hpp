// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <chrono>
#include <optional>
#include <span>
#include <string>

#include "address_databases.hpp"
#include "host_names.hpp"

namespace xdp_count {

// What is to be said of addresses besides their counts. Used from one thread.
class AddressBook {
 public:
  using Clock = HostNames::Clock;

  // Of so many of the addresses that are shown names are asked for.
  static constexpr std::size_t most_named = 100;

  // `resolve`: whether names are asked for. Throws std::runtime_error.
  AddressBook(const boost::asio::any_io_executor& executor, bool resolve,
              AddressDatabases databases);

  // What is known of these, as JSON: an object with one for each of which something is.
  std::string look(std::span<const Address> addresses, Clock::time_point now);

  // Asks for no more names, and waits for none.
  void stop();

 private:
  std::optional<HostNames> names_;
  AddressDatabases databases_;
};

}  // namespace xdp_count
