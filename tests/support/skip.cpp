// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "skip.hpp"

#include <doctest/doctest.h>

#include <iostream>
#include <utility>

namespace xdp_count::testing {

void skip(const std::string& reason) {
  // This is done once for each test case, since these are what is counted.
  static const doctest::detail::TestCase* last = nullptr;
  const doctest::detail::TestCase* const current = doctest::getContextOptions()->currentTest;
  if (std::exchange(last, current) == current) return;
  std::cout << "skipped: " << current->m_name << ": " << reason << std::endl;
}

}  // namespace xdp_count::testing
