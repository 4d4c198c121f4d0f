// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "address_book.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace xdp_count {

using nlohmann::json;

AddressBook::AddressBook(const boost::asio::any_io_executor& executor, bool resolve,
                         const std::vector<std::string>& databases)
    : databases_(databases) {
  if (resolve) names_.emplace(executor);
}

std::string AddressBook::look(std::span<const Address> addresses, Clock::time_point now) {
  json known = json::object();
  for (const Address& address : addresses.first(std::min(addresses.size(), most))) {
    json of = json::object();
    if (const std::string name = names_ ? names_->look(address, now) : std::string(); !name.empty())
      of["name"] = name;
    const AddressFacts facts = databases_.look(address);
    if (!facts.country.empty()) of["country"] = facts.country;
    if (facts.asn != 0) of["asn"] = facts.asn;
    if (!facts.organization.empty()) of["organization"] = facts.organization;
    if (!of.empty()) known[address_text(address)] = std::move(of);
  }
  return known.dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace xdp_count
