// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "publication.hpp"

#include <algorithm>

#include "json_encoding.hpp"

namespace xdp_count {

namespace {

// Selected in one pass over the ledger: more at once cost less, fewer keep to the deadline better.
constexpr std::size_t most_at_once = 8;

}  // namespace

void encode(std::span<Publication> publications, const Tally& tally,
            std::chrono::steady_clock::time_point deadline) {
  const SnapshotHead& head = tally.head();
  for (auto rest = publications; !rest.empty();) {
    const auto some = rest.first(std::min(rest.size(), most_at_once));
    std::vector<Selection> selections;
    for (const Publication& publication : some) selections.push_back(publication.selection);
    const auto rows = top_sources(tally.ledger(), selections, head.interval);
    for (std::size_t i = 0; i < some.size(); ++i)
      some[i].body = std::make_shared<const std::string>(encode_snapshot_body(head, rows[i]));
    if (std::chrono::steady_clock::now() > deadline) break;
    rest = rest.subspan(some.size());
  }
}

void hand_out(std::span<const Publication> publications) {
  for (const Publication& publication : publications)
    for (const auto& session : publication.recipients)
      session->offer_snapshot(publication.selection, publication.body);
}

}  // namespace xdp_count
