// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// In a build without SQLite.
#include <stdexcept>

#include "history_command.hpp"

namespace xdp_count {

std::string history_answer(const HistoryOptions&, TextFormat, std::size_t) {
  throw std::runtime_error("this build has no history: it was made without SQLite and SQLiteC++");
}

}  // namespace xdp_count
