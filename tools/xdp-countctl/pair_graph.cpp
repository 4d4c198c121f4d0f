// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "pair_graph.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <stdexcept>
#include <tuple>

#include "base/address.hpp"
#include "base/time_format.hpp"
#include "model/names.hpp"
#include "view/table_view.hpp"

namespace xdp_count {
namespace {

// Equal ones by address.
bool ranks_before(const SourceRow& a, const SourceRow& b) {
  return std::tuple(b.total.packets, b.total.bytes, a.order()) <
         std::tuple(a.total.packets, a.total.bytes, b.order());
}

std::string source_of(const SourceRow& edge) {
  return typed_prefix_text(edge.address);
}
std::string destination_of(const SourceRow& edge) {
  return typed_prefix_text(*edge.peer);
}

}  // namespace

void PairGraph::add(const SourcesMessage& part) {
  if (part.head.row_kind.by != CountBy::pair)
    throw std::runtime_error(
        fmt::format("this agent counts by {}: a graph takes one that was started with --by pair",
                    name_of(part.head.row_kind.by)));
  head_ = part.head;
  for (const SourceRow& row : part.rows) {
    if (row.total.packets < min_packets_) {
      ++left_out_;
      left_out_counts_ += row.total;
      continue;
    }
    edges_.push_back(row);
    // All but the highest are dropped seldom.
    if (edges_.size() == 2 * most_ + 1000) keep_highest();
  }
}

void PairGraph::keep_highest() {
  if (edges_.size() <= most_) return;
  const auto end = edges_.begin() + static_cast<std::ptrdiff_t>(most_);
  std::nth_element(edges_.begin(), end, edges_.end(), ranks_before);
  for (auto edge = end; edge != edges_.end(); ++edge) {
    ++left_out_;
    left_out_counts_ += edge->total;
  }
  edges_.erase(end, edges_.end());
}

std::string PairGraph::text(GraphFormat format) {
  keep_highest();
  std::ranges::sort(edges_, ranks_before);
  return format == GraphFormat::dot ? dot() : graphml();
}

std::string PairGraph::left_out_text() const {
  if (left_out_ == 0) return {};
  return fmt::format("{} with {} {} left out", number_of(left_out_, "pair"),
                     number_of(left_out_counts_.packets, "packet"), left_out_ == 1 ? "is" : "are");
}

std::vector<std::string> PairGraph::comments() const {
  std::vector<std::string> lines{
      fmt::format("{} by xdp-count, {}", number_of(edges_.size(), "pair"), rfc3339(head_.time))};
  if (left_out_ > 0) lines.push_back(left_out_text());
  const std::uint64_t untracked = head_.untracked.sum().packets;
  const std::uint64_t evicted = head_.evicted.sum().counts.packets;
  if (untracked > 0 || evicted > 0)
    lines.push_back(fmt::format("{} packets are in no pair: {} untracked, {} evicted",
                                grouped(untracked + evicted), grouped(untracked),
                                grouped(evicted)));
  return lines;
}

std::string PairGraph::dot() const {
  std::string text = "digraph pairs {\n";
  for (const std::string& line : comments()) text += "  // " + line + "\n";
  text += "  node [shape=box];\n";
  for (const SourceRow& edge : edges_)
    text +=
        fmt::format("  \"{}\" -> \"{}\" [packets={}, bytes={}, label=\"{}\", penwidth={:.1f}];\n",
                    source_of(edge), destination_of(edge), edge.total.packets, edge.total.bytes,
                    grouped(edge.total.packets),
                    1 + std::log10(std::max(static_cast<double>(edge.total.packets), 1.0)) / 2);
  return text + "}\n";
}

std::string PairGraph::graphml() const {
  std::string text =
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
      "<graphml xmlns=\"http://graphml.graphdrawing.org/xmlns\">\n";
  for (const std::string& line : comments()) text += "  <!-- " + line + " -->\n";
  for (const auto& [name, type] :
       {std::pair{"packets", "long"}, {"bytes", "long"}, {"weight", "double"}})
    text += fmt::format("  <key id=\"{0}\" for=\"edge\" attr.name=\"{0}\" attr.type=\"{1}\"/>\n",
                        name, type);
  text += "  <graph id=\"pairs\" edgedefault=\"directed\">\n";
  std::set<Prefix> nodes;
  for (const SourceRow& edge : edges_) nodes.insert({edge.address, *edge.peer});
  for (const Prefix& node : nodes)
    text += fmt::format("    <node id=\"{}\"/>\n", typed_prefix_text(node));
  for (const SourceRow& edge : edges_)
    text += fmt::format(
        "    <edge source=\"{}\" target=\"{}\"><data key=\"packets\">{}</data>"
        "<data key=\"bytes\">{}</data><data key=\"weight\">{}</data></edge>\n",
        source_of(edge), destination_of(edge), edge.total.packets, edge.total.bytes,
        edge.total.packets);
  return text + "  </graph>\n</graphml>\n";
}

}  // namespace xdp_count
