// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "server/publication.hpp"
#include "counting/top_sources.hpp"

#include <algorithm>
#include <utility>

#include "protocol/json_encoding.hpp"

namespace xdp_count {

std::size_t most_bytes(const Publication& publication, std::size_t tracked, CountBy by) {
  const Selection& selection = publication.selection;
  std::uint64_t rows = std::min(selection.top, tracked);
  // An address may be an end of any number of pairs.
  if (selection.prefix && by != CountBy::pair) {
    const unsigned free_bits = bits_of(selection.prefix->network.family) - selection.prefix->length;
    if (free_bits < 64) rows = std::min(rows, std::uint64_t{1} << free_bits);
  }
  return snapshot_body_capacity(rows, selection.trend, by);
}

void encode(std::span<Publication> publications, const Tally& tally,
            ClientMemory::Reservation& room, std::chrono::steady_clock::time_point deadline) {
  const SnapshotHead& head = tally.head();
  for (auto next = publications.begin(); next != publications.end();) {
    std::vector<Publication*> some;
    std::vector<Selection> selections;
    for (std::size_t left = room.bytes(); next != publications.end(); ++next) {
      const std::size_t most = most_bytes(*next, tally.ledger().size(), head.row_kind.by);
      // A publication that finds no room behind others is looked at once more: their bodies may
      // turn out shorter.
      if (some.size() == most_at_once || (most > left && !some.empty())) break;
      if (most > left) continue;
      left -= most;
      some.push_back(&*next);
      selections.push_back(next->selection);
    }
    const auto rows = top_sources(tally, selections);
    for (std::size_t i = 0; i < some.size(); ++i) {
      const Selection& selection = some[i]->selection;
      KeptText body{
          room.split(snapshot_body_capacity(rows[i].size(), selection.trend, head.row_kind.by)),
          encode_snapshot_body(head, rows[i], slices_of(tally, selection))};
      some[i]->body = std::make_shared<const KeptText>(std::move(body));
    }
    if (std::chrono::steady_clock::now() > deadline) break;
  }
}

void hand_out(std::span<const Publication> publications) {
  for (const Publication& publication : publications)
    for (const auto& session : publication.recipients)
      session->offer_snapshot(publication.selection, publication.body);
}

}  // namespace xdp_count
