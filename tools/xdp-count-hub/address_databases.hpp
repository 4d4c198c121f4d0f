// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once

#include <maxminddb.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/address.hpp"

namespace xdp_count {

// Where an address is, and whose it is; what is not known is empty, or 0.
struct AddressFacts {
  std::string country = {};  // ISO 3166-1, two letters
  std::uint32_t asn = 0;     // of the autonomous system
  std::string organization = {};

  friend bool operator==(const AddressFacts&, const AddressFacts&) = default;
};

// Files in MaxMind's format that know networks by country, by autonomous system, or by both.
class AddressDatabases {
 public:
  // Throws std::runtime_error for a file that is none.
  explicit AddressDatabases(const std::vector<std::string>& files);

  // The first file that knows something says it.
  AddressFacts look(const Address& address) const;

 private:
  struct Close {
    void operator()(MMDB_s* database) const;
  };
  std::vector<std::unique_ptr<MMDB_s, Close>> databases_;
};

}  // namespace xdp_count
