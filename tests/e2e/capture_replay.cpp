// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>

#include "agent_fixture.hpp"
#include "base/address.hpp"
#include "capture_file.hpp"
#include "model/names.hpp"
#include "model/row_kind.hpp"
#include "tshark_reading.hpp"
#include "varied_traffic.hpp"
#include "view/table_view.hpp"

using namespace xdp_count::testing;
using nlohmann::json;
using xdp_count::Address, xdp_count::CountBy, xdp_count::Family, xdp_count::RowKind;
using xdp_count::parse_address;

namespace {

// The topology has mounted a tmpfs there.
constexpr const char* capture_file = "/run/varied.pcap";

// Writes the capture that XDP_COUNT_CAPTURE names, of Ethernet frames of at most 9014 bytes that
// were captured whole, or else one of varied traffic; returns what tshark reads in it.
TsharkReading capture() {
  if (const char* given = std::getenv("XDP_COUNT_CAPTURE")) {
    std::filesystem::copy_file(given, capture_file);
    return read_with_tshark(capture_file);
  }
  constexpr std::uint32_t seed = 1;
  write_capture_file(capture_file, varied_traffic(20'000, seed));
  TsharkReading expected = read_with_tshark(capture_file);
  CHECK(expected.all == Count{20'000, 9'756'408});
  CHECK(expected.sources.size() == 1322);
  CHECK(expected.destinations.size() == 1276);
  CHECK(expected.pairs.size() == 13'414);
  return expected;
}

// tcpreplay sends a frame again that the device refuses. But a receiving end whose queue is full
// may lose frames without a word to the sender: so the rate leaves it time.
void replay(const Topology& topology) {
  Process tcpreplay({"/usr/bin/tcpreplay", "-i", Topology::sender_link, "--pps=20000",
                     "--no-flow-stats", capture_file},
                    {.network_namespace = topology.sender()});
  const int code = tcpreplay.wait();
  INFO(tcpreplay.standard_output(), tcpreplay.standard_error());
  REQUIRE(code == 0);
  CHECK(contains(tcpreplay.standard_output(), "Failed packets:            0"));
}

// More than a snapshot may have.
std::map<std::string, Count> all_rows(LineClient& client) {
  std::map<std::string, Count> rows;
  json part{{"more", true}};
  for (client.ask({{"cmd", "list"}}); part.at("more").get<bool>();) {
    part = client.next_of_type("sources");
    rows.merge(sources_of(part));
  }
  return rows;
}

// What an agent that counts rows of this kind is to have of the pairs, by the texts of the rows.
std::map<std::string, Count> rows_of(const TsharkReading& reading, const RowKind& kind) {
  std::map<std::string, Count> rows;
  for (const auto& [ends, count] : reading.pairs) {
    const xdp_count::RowKey key =
        kind.key_of(*parse_address(ends.first), *parse_address(ends.second));
    Count& sum = rows[ends_text(kind.ends_of(key))];
    sum.packets += count.packets;
    sum.bytes += count.bytes;
  }
  return rows;
}

}  // namespace

TEST_CASE_TEMPLATE("every count of a replayed capture file is what tshark reads in it", Mode,
                   Native, Generic) {
  const Topology topology;
  set_mtu(topology, varied_traffic_mtu);
  TsharkReading expected = capture();
  // A class without a frame has no entry.
  for (const char* name : {"ipv4", "ipv6", "arp", "other", "malformed"}) expected.classes[name];
  const std::uint64_t frames = expected.all.packets;

  for (const RowKind& kind :
       {RowKind{.by = CountBy::source}, RowKind{.by = CountBy::destination},
        RowKind{.by = CountBy::pair}, RowKind{.by = CountBy::source, .prefix_lengths = {{24, 48}}},
        RowKind{.by = CountBy::destination, .prefix_lengths = {{28, 127}}},
        RowKind{.by = CountBy::pair, .prefix_lengths = {{25, 46}}}}) {
    const std::string by = xdp_count::name_of(kind.by);
    const unsigned prefix4 = kind.prefix_lengths.of(Family::ipv4);
    const unsigned prefix6 = kind.prefix_lengths.of(Family::ipv6);
    INFO(by, " /", prefix4, " /", prefix6);
    Agent agent(topology, {"-m", Mode::name, "--interval", "0.1", "--by", by, "--prefix4",
                           std::to_string(prefix4), "--prefix6", std::to_string(prefix6)});
    LineClient client(default_socket);
    replay(topology);
    const auto snapshot = snapshot_with(client, frames);
    CHECK(snapshot.at("mode") == Mode::name);
    CHECK(snapshot.at("rows") ==
          json{{"families", "both"}, {"by", by}, {"prefix4", prefix4}, {"prefix6", prefix6}});
    CHECK(snapshot.at("nic").at("rx_packets") == frames);
    CHECK(count_of(snapshot.at("frames")) == expected.all);
    for (const auto& [name, value] : snapshot.at("classes").items()) {
      CAPTURE(name);
      CHECK(count_of(value) == expected.classes.at(name));
    }
    CHECK(all_rows(client) == rows_of(expected, kind));
    CHECK(snapshot.at("untracked").at("packets") == 0);
    CHECK(snapshot.at("evicted").at("sources") == 0);
  }
}
