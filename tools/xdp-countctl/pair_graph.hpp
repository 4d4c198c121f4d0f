// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "model/counts.hpp"
#include "protocol/json_decoding.hpp"

namespace xdp_count {

enum class GraphFormat { dot, graphml };

// Who sends to whom, as a directed graph: nodes are the addresses or networks of pairs, edges the
// pairs. Bounded: the pairs with most packets are kept, and what is left out is counted.
class PairGraph {
 public:
  // `most`: edges. `min_packets`: pairs with fewer are left out.
  PairGraph(std::size_t most, std::uint64_t min_packets) : most_(most), min_packets_(min_packets) {}

  // Takes a part of a list. Throws std::runtime_error where its rows are not of pairs.
  void add(const SourcesMessage& part);

  // All of it, edges with most packets first: in the DOT language of Graphviz, or in GraphML, which
  // Gephi, networkx and graph databases read. Each edge has its packets and bytes, and for programs
  // that lay graphs out a weight, its packets, or a line as wide as they are many. A comment says
  // what was left out.
  std::string text(GraphFormat format);

  // "2 pairs with 3 packets are left out"; empty where nothing is.
  std::string left_out_text() const;

 private:
  void keep_highest();
  std::vector<std::string> comments() const;
  std::string dot() const;
  std::string graphml() const;

  std::size_t most_;
  std::uint64_t min_packets_;
  SnapshotHead head_;
  std::vector<SourceRow> edges_;
  std::uint64_t left_out_ = 0;  // pairs
  Counts left_out_counts_;
};

}  // namespace xdp_count
