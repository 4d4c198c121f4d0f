// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "span_rates.hpp"

#include <limits>
#include <utility>

namespace xdp_count {
namespace {

constexpr double unknown = std::numeric_limits<double>::quiet_NaN();
constexpr Rates unknown_rates{unknown, unknown};

}  // namespace

SnapshotMessage SpanRates::since_last(SnapshotMessage message) {
  SnapshotHead& head = message.head;
  std::map<RowEnds, SourceRow> rows;
  for (const SourceRow& row : message.rows) rows.emplace(row.ends(), row);
  const auto before = std::exchange(before_, head);
  const auto rows_before = std::exchange(rows_before_, std::move(rows));

  const bool counting_went_on = before && before->since == head.since && before->time < head.time;
  // After the whole interval of the one before, a last one that was cut short is all there is.
  const bool too_short = head.partial && before && before->seq + 1 == head.seq;
  if (!counting_went_on || too_short) {
    head.frames.rates = unknown_rates;
    for (SourceRow& row : message.rows) row.rates = unknown_rates;
    return message;
  }
  const double seconds = static_cast<double>(head.time - before->time) / 1000;
  head.interval = seconds;
  head.partial = false;
  head.frames.rates = rates_over(head.frames.counts - before->frames.counts, seconds);
  // A source that is evicted and comes back begins again at 0. One that had no row then may be such
  // a one, unless nothing was evicted since.
  const bool none_evicted = before->evicted.sum().sources == head.evicted.sum().sources;
  for (SourceRow& row : message.rows) {
    const auto earlier = rows_before.find(row.ends());
    const bool is_new = row.first_time > before->time;
    if (earlier != rows_before.end() && earlier->second.first_time == row.first_time)
      row.rates = rates_over(row.total - earlier->second.total, seconds);
    else if (earlier == rows_before.end() && is_new && none_evicted)
      row.rates = rates_over(row.total, seconds);
    else
      row.rates = unknown_rates;
  }
  return message;
}

}  // namespace xdp_count
