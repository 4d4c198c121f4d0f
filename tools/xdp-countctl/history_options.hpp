// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>

#include "base/address.hpp"
#include "history/history_answer.hpp"

namespace xdp_count {

inline constexpr const char* default_history_path = "/var/lib/xdp-count/history.db";

struct HistoryOptions : HistoryQuestion {
  std::string path = default_history_path;
};

// The command history with its own commands.
class HistoryArguments {
 public:
  // Adds them to `history`, which outlives this. Times are before the moment of this.
  explicit HistoryArguments(CLI::App& history);
  HistoryArguments(const HistoryArguments&) = delete;
  HistoryArguments& operator=(const HistoryArguments&) = delete;

  // What was given, once that is parsed, or what is wrong with it. `agent`: empty for all.
  std::variant<HistoryOptions, std::string> take(const std::string& agent);

 private:
  std::int64_t now_;
  HistoryOptions options_;
  std::optional<std::int64_t> at_, from_, to_;
  PerFamily<unsigned> group_bits_;
  CLI::App& history_;
  CLI::App *top_ = nullptr, *row_ = nullptr, *totals_ = nullptr, *gaps_ = nullptr;
};

}  // namespace xdp_count
