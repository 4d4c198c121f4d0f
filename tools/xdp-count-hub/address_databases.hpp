// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once

#include <maxminddb.h>

#include <chrono>
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

// Files in MaxMind's format that know networks by country, by autonomous system, or by both. They
// are copied to memory, so that whoever writes over one disturbs nobody. Used from one thread.
class AddressDatabases {
 public:
  using Clock = std::chrono::steady_clock;

  static constexpr std::chrono::minutes kept{1};  // until it is seen whether a file is another one

  // Throws std::runtime_error for a file that is none.
  explicit AddressDatabases(const std::vector<std::string>& files);

  bool empty() const { return databases_.empty(); }

  // The first file that knows something says it.
  AddressFacts look(const Address& address) const;

  // Reads files that have changed, once they have been kept. One that cannot be read is said, and
  // what was read before is good still.
  void refresh(Clock::time_point now);

 private:
  struct Close {
    void operator()(MMDB_s* database) const;
  };
  struct Database {
    std::string file;
    std::string version = {};  // tells whether the file is another one
    std::unique_ptr<MMDB_s, Close> data = {};
  };

  static void read(Database& database);

  std::vector<Database> databases_;
  Clock::time_point refreshed_ = Clock::now();
};

}  // namespace xdp_count
