// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "address_book.hpp"

#include <nlohmann/json.hpp>
#include <set>
#include <utility>

namespace xdp_count {

using nlohmann::json;

AddressBook::AddressBook(const boost::asio::any_io_executor& executor, bool resolve,
                         AddressDatabases databases)
    : databases_(std::move(databases)) {
  if (resolve) names_.emplace(executor);
}

std::string AddressBook::look(std::span<const Address> addresses, Clock::time_point now) {
  databases_.refresh(now);
  if (names_) names_->begin_look();
  json known = json::object();
  std::set<Address> seen;  // a pair has two, and others have them too
  for (const Address& address : addresses) {
    if (!seen.insert(address).second) continue;
    json of = json::object();
    if (names_ && seen.size() <= most_named)
      if (std::string name = names_->look(address, now); !name.empty())
        of["name"] = std::move(name);
    const AddressFacts facts = databases_.look(address);
    if (!facts.country.empty()) of["country"] = facts.country;
    if (facts.asn != 0) of["asn"] = facts.asn;
    if (!facts.organization.empty()) of["organization"] = facts.organization;
    if (!of.empty()) known[address_text(address)] = std::move(of);
  }
  return known.dump(-1, ' ', false, json::error_handler_t::replace);
}

void AddressBook::stop() {
  if (names_) names_->stop();
}

}  // namespace xdp_count
