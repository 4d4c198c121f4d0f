// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// The words for what a history is asked: on the command line, over HTTP and in answers.
#pragma once

#include <array>

#include "base/name_table.hpp"
#include "history/history_answer.hpp"

namespace xdp_count {

inline constexpr std::array<Name<HistoryStep>, 5> history_step_names{
    {{"auto", HistoryStep::automatic},
     {"recorded", HistoryStep::recorded},
     {"10min", HistoryStep::ten_minutes},
     {"hour", HistoryStep::hour},
     {"day", HistoryStep::day}}};

// Whether by bytes.
inline constexpr std::array<Name<bool>, 2> history_order_names{
    {{"packets", false}, {"bytes", true}}};

}  // namespace xdp_count
