// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "model/counts.hpp"
#include "model/snapshot.hpp"

namespace xdp_count {

// What an agent's rows in a named network add up to, from its answers for each of the prefixes.
class NetworkTotals {
 public:
  explicit NetworkTotals(std::size_t prefixes) : parts_(prefixes) {}

  // A line of the answer for one prefix; rows of it that were counted with another prefix have been
  // taken out.
  void add(std::size_t prefix, std::span<const SourceRow> rows, bool more);

  // Nothing is known for now. Where counting begins anew, so do the agent's sums.
  void lose();
  void begin_anew();

  // Whether there has been an answer for each prefix.
  bool is_known() const;

  // All that was counted. It never becomes less: what rows that were evicted take from the agent's
  // sum is missing from what was counted meanwhile.
  const Counts& counted() const { return counted_; }
  Rates rates() const;

 private:
  struct Sum {
    Counts total;
    Rates rates;
  };
  struct Part {
    Sum now;
    Sum coming;  // of the lines of an answer so far
    bool is_known = false;
  };

  std::vector<Part> parts_;
  Counts counted_;
};

}  // namespace xdp_count
