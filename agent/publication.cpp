// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "publication.hpp"

#include "json_encoding.hpp"

namespace xdp_count {

void encode(std::span<Publication> publications, const Tally& tally) {
  if (publications.empty()) return;
  std::vector<Selection> selections;
  for (const Publication& publication : publications) selections.push_back(publication.selection);
  const SnapshotHead& head = tally.head();
  const auto rows = top_sources(tally.ledger(), selections, head.interval);
  for (std::size_t i = 0; i < publications.size(); ++i)
    publications[i].body = std::make_shared<const std::string>(encode_snapshot_body(head, rows[i]));
}

void hand_out(std::span<const Publication> publications) {
  for (const Publication& publication : publications)
    for (const auto& session : publication.recipients) session->offer_snapshot(publication.body);
}

}  // namespace xdp_count
