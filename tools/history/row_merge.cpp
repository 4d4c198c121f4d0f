// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "history/row_merge.hpp"

#include <algorithm>
#include <stdexcept>
#include <tuple>

namespace xdp_count {
namespace {

constexpr std::size_t rows_in_memory = 200'000;

}  // namespace

RowMerge::RowMerge(SQLite::Database& database, std::span<const Source> sources)
    : query_(database,
             "SELECT address, peer, packets, bytes FROM row WHERE bucket = ?1 AND (address, peer) "
             "> (?2, ?3) ORDER BY address, peer LIMIT ?4"),
      rows_at_a_time_(std::clamp<std::size_t>(
          rows_in_memory / std::max<std::size_t>(sources.size(), 1), 8, 1000)) {
  cursors_.reserve(sources.size());
  for (const Source& source : sources) {
    Cursor cursor{.source = source, .rows = {}};
    read(cursor);
    if (cursor.rows.empty()) continue;
    cursors_.push_back(std::move(cursor));
    heap_.push_back(front_of(cursors_.size() - 1));
  }
  std::ranges::make_heap(heap_, [&](const auto& a, const auto& b) { return is_behind(a, b); });
}

// Those behind the last one that was read.
void RowMerge::read(Cursor& cursor) {
  const Row last = cursor.rows.empty() ? Row{} : cursor.rows.back();
  query_.reset();
  query_.bind(1, cursor.source.bucket);
  query_.bind(2, last.address);
  query_.bind(3, last.peer);
  query_.bind(4, static_cast<std::int64_t>(rows_at_a_time_));
  cursor.rows.resize(rows_at_a_time_);
  cursor.at = 0;
  std::size_t count = 0;
  for (; query_.executeStep(); ++count) {
    Row& row = cursor.rows[count];
    row.agent = cursor.source.agent;
    row.address = query_.getColumn(0).getString();
    row.peer = query_.getColumn(1).getString();
    row.counts = {static_cast<std::uint64_t>(query_.getColumn(2).getInt64()),
                  static_cast<std::uint64_t>(query_.getColumn(3).getInt64())};
  }
  cursor.rows.resize(count);
  // What is no text has another order, and would come again and again.
  if (count > 0 &&
      std::tie(cursor.row().address, cursor.row().peer) <= std::tie(last.address, last.peer))
    throw std::runtime_error("the history is damaged: its rows are in no order");
  cursor.is_last = count < rows_at_a_time_;
}

bool RowMerge::advance(Cursor& cursor) {
  if (++cursor.at < cursor.rows.size()) return true;
  if (cursor.is_last) return false;
  read(cursor);
  return !cursor.rows.empty();
}

RowMerge::Front RowMerge::front_of(std::size_t cursor) const {
  const std::string& address = cursors_[cursor].row().address;
  Front front{.cursor = cursor};
  for (std::size_t i = 0; i < sizeof front.key; ++i)
    front.key = front.key << 8 | (i < address.size() ? static_cast<unsigned char>(address[i]) : 0);
  return front;
}

bool RowMerge::is_behind(const Front& a, const Front& b) const {
  if (a.key != b.key) return a.key > b.key;
  const Row& left = cursors_[a.cursor].row();
  const Row& right = cursors_[b.cursor].row();
  return std::tie(left.address, left.peer, left.agent) >
         std::tie(right.address, right.peer, right.agent);
}

std::optional<RowMerge::Row> RowMerge::next() {
  const auto behind = [&](const auto& a, const auto& b) { return is_behind(a, b); };
  std::optional<Row> sum;
  while (!heap_.empty()) {
    const std::size_t first = heap_.front().cursor;
    const Row& row = cursors_[first].row();
    if (sum && (row.address != sum->address || row.peer != sum->peer || row.agent != sum->agent))
      break;
    if (sum)
      sum->counts += row.counts;
    else
      sum = row;
    std::ranges::pop_heap(heap_, behind);
    heap_.pop_back();
    if (!advance(cursors_[first])) continue;
    heap_.push_back(front_of(first));
    std::ranges::push_heap(heap_, behind);
  }
  return sum;
}

}  // namespace xdp_count
