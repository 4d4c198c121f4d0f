// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <chrono>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "address_databases.hpp"
#include "host_names.hpp"

namespace xdp_count {

// What is to be said of addresses besides their counts. Used from one thread.
class AddressBook {
 public:
  using Clock = HostNames::Clock;

  static constexpr std::size_t most = 100;  // addresses that are looked up of one page's rows

  // `resolve`: whether name servers are asked. `databases`: files. Throws std::runtime_error.
  AddressBook(const boost::asio::any_io_executor& executor, bool resolve,
              const std::vector<std::string>& databases);

  // What is known of the first of these, as JSON: an object with one for each of which something
  // is.
  std::string look(std::span<const Address> addresses, Clock::time_point now);

 private:
  std::optional<HostNames> names_;
  AddressDatabases databases_;
};

}  // namespace xdp_count
