// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "server/query.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <random>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/address.hpp"
#include "json_line.hpp"
#include "owned_ledger.hpp"
#include "owned_tally.hpp"
#include "protocol/json_decoding.hpp"
#include "protocol/json_encoding.hpp"

namespace xdp_count {
namespace {

using nlohmann::json;

// A tally of as many sources, whose addresses are far apart; source number i has sent i packets.
struct ManySources {
  OwnedLedger owned;
  OwnedTally tally{owned.ledger, {.interface = "eth0"}};
  std::vector<Address> in_order;

  explicit ManySources(std::uint32_t count) : owned(count + 1) {
    tick(count, 1000);
    std::ranges::sort(in_order);
  }

  void tick(std::uint32_t count, std::int64_t time) {
    CutWithCounts cut{.time = time, .interval = 1};
    for (std::uint32_t i = 0; i < count; ++i) {
      const std::uint32_t address = i * 2'654'435'761U;
      cut.generation.sources.push_back({address, {i, 60 * i}});
      in_order.push_back(address);
    }
    tally.fold(cut);
  }
};

std::vector<json> parts_of(Query& query) {
  std::vector<json> parts;
  do parts.push_back(message_of(query.next_part()));
  while (!query.is_done());
  return parts;
}

std::vector<json> answer_to(Query& query) {
  REQUIRE(query.select(false));
  query.prepare();
  return parts_of(query);
}

TEST_CASE("a list is lines of a thousand rows, each with the fields of the protocol") {
  OwnedLedger owned(10);
  OwnedTally tally(owned.ledger, {.interface = "eth0", .ifindex = 4});
  GenerationCounts first;
  first.sources = {{0xc0000202, {3, 180}}, {0x0a000001, {1, 60}}};
  first.untracked = {7, 420};
  tally.fold({.generation = first, .time = 1000, .interval = 1});
  tally.fold({.generation = {.sources = {{0xc0000202, {1, 1000}}}}, .time = 3000, .interval = 2});
  ListQuery query(tally.tally, R"("x")", {});
  CHECK(query.is_large());
  REQUIRE(query.select(false));
  query.prepare();
  CHECK(query.next_part() ==
        R"({"type":"sources","id":"x","seq":2,"time":"1970-01-01T00:00:03.000Z",)"
        R"("last_10s":{"seconds":3.000000,"packets":0,"bytes":0},)"
        R"("last_60s":{"seconds":3.000000,"packets":0,"bytes":0},"sources":[)"
        R"({"src":"10.0.0.1","packets":1,"bytes":60,"pps":0.000,"bps":0.000,)"
        R"("last_10s":{"packets":1,"bytes":60},"last_60s":{"packets":1,"bytes":60},)"
        R"("first":"1970-01-01T00:00:01.000Z","last":"1970-01-01T00:00:01.000Z"},)"
        R"({"src":"192.0.2.2","packets":4,"bytes":1180,"pps":0.500,"bps":4000.000,)"
        R"("last_10s":{"packets":4,"bytes":1180},"last_60s":{"packets":4,"bytes":1180},)"
        R"("first":"1970-01-01T00:00:01.000Z","last":"1970-01-01T00:00:03.000Z"}],)"
        R"("missing":[],"rows":{"families":"both","by":"source","prefix4":32,"prefix6":128},)"
        R"("untracked":{"packets":7,"bytes":420,"ipv4":{"packets":7,"bytes":420},)"
        R"("ipv6":{"packets":0,"bytes":0}},)"
        R"("evicted":{"sources":0,"packets":0,"bytes":0,)"
        R"("ipv4":{"sources":0,"packets":0,"bytes":0},)"
        R"("ipv6":{"sources":0,"packets":0,"bytes":0}},"more":false})"
        "\n");
  CHECK(query.is_done());
}

TEST_CASE("a list of rates has every row that is as fast, however many are") {
  // As many as are walked one by one, and so many that the whole table is.
  for (const std::uint32_t count : {100u, 5000u}) {
    CAPTURE(count);
    ManySources sources(count);
    sources.tick(30, 3000);  // sources 1 to 29 send i packets of 60 bytes in a second
    const auto listed = [&](const ListRequest& request) {
      ListQuery query(sources.tally.tally, "", request);
      std::vector<std::string> rows;
      for (const json& part : answer_to(query))
        for (const json& row : part.at("sources")) rows.push_back(row.at("src"));
      return rows;
    };
    const auto expected = [&](std::uint32_t first) {
      std::vector<Address> addresses;
      for (std::uint32_t i = first; i < 30; ++i) addresses.push_back(i * 2'654'435'761U);
      std::ranges::sort(addresses);
      std::vector<std::string> rows;
      for (const Address& address : addresses) rows.push_back(address_text(address));
      return rows;
    };
    CHECK(listed({.min_pps = 1}) == expected(1));
    CHECK(listed({.min_pps = 20}) == expected(20));
    CHECK(listed({.min_pps = 30}).empty());
    CHECK(listed({.min_bps = 29 * 60 * 8}) == expected(29));
    CHECK(listed({.min_bps = 29 * 60 * 8 + 1}).empty());
    CHECK(listed({.limit = 2, .min_pps = 20}).size() == 2);
    CHECK(listed({.min_packets = 31, .min_pps = 1}) == expected(16));
    CHECK(listed({.min_pps = 30, .group = {{0, {}}}}) == std::vector<std::string>{"0.0.0.0/0"});
    CHECK(listed({.min_pps = 436, .group = {{0, {}}}}).empty());  // 1 + 2 + … + 29 is 435
    sources.tick(count, 5000);
    CHECK(listed({.min_pps = 1}).size() == count - 1);
    CHECK(listed({.min_pps = count - 3}).size() == 3);
  }
}

TEST_CASE("a list of those counted after a tick is whole, and looks at no others") {
  for (const std::uint32_t count : {100u, 5000u}) {
    CAPTURE(count);
    ManySources sources(count);
    sources.tick(30, 3000);
    const auto listed = [&](const ListRequest& request) {
      ListQuery query(sources.tally.tally, "", request);
      std::size_t rows = 0;
      for (const json& part : answer_to(query)) rows += part.at("sources").size();
      return rows;
    };
    CHECK(listed({.active_since = 0}) == count);
    CHECK(listed({.active_since = 1}) == 30);
    CHECK(listed({.active_since = 2}) == 0);
    CHECK(listed({.min_packets = 31, .active_since = 1}) == 14);  // sources 16 to 29, twice
    CHECK(listed({.limit = 7, .active_since = 1}) == 7);
    // A walk over the table would find what is written where nothing was counted.
    std::size_t written = 0;
    std::vector<LedgerEntry>& slots = sources.owned.slots;
    for (std::size_t first = 0; first < slots.size(); first += Ledger::block_slots) {
      const auto block = std::span(slots).subspan(first, Ledger::block_slots);
      if (std::ranges::any_of(block, [](const auto& slot) { return slot.last_tick() > 1; }))
        continue;
      block.front() = LedgerEntry(0x01000000 + static_cast<std::uint32_t>(first), 1000);
      block.front().set_last_seen(2, 3000);
      ++written;
    }
    CHECK(written > 0);
    CHECK(listed({.active_since = 1}) == 30);
    CHECK(listed({}) >= 30 + written);
  }
}

// What somebody does who asks now and then, and wants to know exactly what was sent meanwhile.
class Reader {
 public:
  struct Difference {
    std::map<std::string, Counts> rows;
    Counts total;  // of the class
    Counts untracked;
    Counts evicted;                   // the rest: what sources that are gone sent until they were
    std::uint64_t newly_evicted = 0;  // sources
  };

  Difference ask(const Tally& tally) {
    ListQuery query(tally, "", {.active_since = seq_});
    REQUIRE(query.select(false));
    query.prepare();
    Difference difference;
    SnapshotHead head;
    for (bool more = true; more;) {
      std::string line = query.next_part();
      line.pop_back();
      const auto part = std::get<SourcesMessage>(decode_message(line));
      REQUIRE(part.totals);
      for (const SourceRow& row : part.rows) {
        const std::string address = typed_prefix_text(row.address);
        Held& held = held_[address];
        if (held.first != row.first_time) held = {row.first_time, {}};
        CHECK(row.total.packets > held.total.packets);
        CHECK(row.total.bytes > held.total.bytes);
        CHECK(difference.rows.emplace(address, row.total - held.total).second);
        held.total = row.total;
      }
      head = part.head;
      more = part.more;
    }
    const Counts total = head.of(FrameClass::ipv4).counts;
    const Counts untracked = head.untracked.of(Family::ipv4);
    difference.total = total - total_;
    difference.untracked = untracked - untracked_;
    difference.evicted = difference.total - difference.untracked;
    for (const auto& [address, counts] : difference.rows) {
      CHECK(counts.packets <= difference.evicted.packets);
      difference.evicted -= counts;
    }
    const std::uint64_t evicted = head.evicted.of(Family::ipv4).sources;
    difference.newly_evicted = evicted - evicted_;
    seq_ = head.seq;
    total_ = total;
    untracked_ = untracked;
    evicted_ = evicted;
    return difference;
  }

  std::uint64_t seq() const { return seq_; }

 private:
  struct Held {
    std::int64_t first = -1;
    Counts total;
  };
  std::uint64_t seq_ = 0;
  Counts total_;
  Counts untracked_;
  std::uint64_t evicted_ = 0;
  std::map<std::string, Held> held_;
};

TEST_CASE("differences of lists since the last one are exact, however many ticks were between") {
  for (std::uint64_t seed = 1; seed <= 8; ++seed) {
    CAPTURE(seed);
    std::mt19937_64 random(seed);
    const auto below = [&](std::uint64_t bound) { return random() % bound; };
    OwnedLedger owned(64);
    OwnedTally tally(owned.ledger, {.interface = "eth0"});
    tally.tally.begin(1);
    Reader reader;
    std::map<std::string, Counts> sent;  // since the reader's last question
    Counts untracked;                    // likewise
    std::size_t exact = 0;
    std::size_t with_evictions = 0;
    std::int64_t time = 1;
    // Few sources at first, for which there is room.
    for (int tick = 0; tick < 600; ++tick) {
      CutWithCounts cut{.time = time += 1 + static_cast<std::int64_t>(below(3)), .interval = 1};
      const std::uint64_t addresses = tick < 200 ? 60 : 100;
      for (std::uint64_t i = below(20); i > 0; --i) {
        const auto number =
            static_cast<std::uint32_t>(std::min(below(addresses), below(addresses)));
        const Counts counts{1 + below(5), 60 + below(1000)};
        cut.generation.sources.push_back({Address(number), counts});
        sent[address_text(number)] += counts;
        cut.generation.classes[0] += counts;
      }
      const Counts left_out{below(3), 60 * below(2)};
      cut.generation.untracked.of(Family::ipv4) += left_out;
      cut.generation.classes[0] += left_out;
      untracked += left_out;
      cut.generation.frames = cut.generation.classes[0];
      tally.fold(cut);
      REQUIRE(!tally.tally.conservation_violation());
      if (below(4) != 0) continue;

      CAPTURE(reader.seq());
      const Reader::Difference difference = reader.ask(tally.tally);
      REQUIRE(reader.seq() == tally.head().seq);
      CHECK(difference.untracked == untracked);
      Counts of_evicted;
      for (const auto& [address, counts] : sent) {
        const auto found = difference.rows.find(address);
        const Counts listed = found == difference.rows.end() ? Counts{} : found->second;
        CHECK(listed.packets <= counts.packets);
        CHECK(listed.bytes <= counts.bytes);
        of_evicted += counts - listed;
      }
      for (const auto& [address, counts] : difference.rows) CHECK(sent.contains(address));
      CHECK(difference.evicted == of_evicted);
      if (difference.newly_evicted == 0) {
        CHECK(difference.rows == sent);
        exact += !sent.empty();
      }
      with_evictions += difference.newly_evicted > 0;
      sent.clear();
      untracked = {};
    }
    CHECK(exact > 20);
    CHECK(with_evictions > 20);
  }
}

TEST_CASE("a list of any length is whole, in order, and ends in the one line that has no more") {
  for (const std::uint32_t count : {0u, 1u, 899u, 900u, 901u, 1800u, 2500u}) {
    CAPTURE(count);
    const ManySources sources(count);
    ListQuery query(sources.tally.tally, "7", {});
    const std::vector<json> parts = answer_to(query);
    REQUIRE(parts.size() == std::max(1u, (count + 899) / 900));
    std::vector<Address> listed;
    for (std::size_t i = 0; i < parts.size(); ++i) {
      CHECK(parts[i].at("id") == 7);
      CHECK(parts[i].at("seq") == 1);
      CHECK(parts[i].at("more") == (i + 1 < parts.size()));
      CHECK((parts[i].at("sources").size() == 900 || i + 1 == parts.size()));
      for (const json& row : parts[i].at("sources"))
        listed.push_back(parse_address(row.at("src").get<std::string>()).value());
    }
    CHECK((listed == sources.in_order));
  }
}

TEST_CASE("a limit keeps the lowest addresses, whatever order the ledger has") {
  const ManySources sources(5000);
  for (const std::uint32_t limit : {1u, 10u, 999u, 1001u, 2499u, 2500u, 4999u, 5000u, 5001u}) {
    CAPTURE(limit);
    ListQuery query(sources.tally.tally, "", {.limit = limit});
    std::vector<Address> listed;
    for (const json& part : answer_to(query))
      for (const json& row : part.at("sources"))
        listed.push_back(parse_address(row.at("src").get<std::string>()).value());
    auto expected = sources.in_order;
    expected.resize(std::min<std::size_t>(limit, expected.size()));
    CHECK((listed == expected));
  }
}

TEST_CASE("a list stays that of one tick when others pass while it is sent") {
  ManySources sources(1500);
  ListQuery query(sources.tally.tally, "", {});
  REQUIRE(query.select(false));
  sources.tick(1500, 2000);
  query.prepare();
  const json first = message_of(query.next_part());
  sources.tick(1500, 3000);
  const json second = message_of(query.next_part());
  std::uint64_t packets = 0;
  for (const json& part : {first, second}) {
    CHECK(part.at("seq") == 1);
    CHECK(part.at("time") == "1970-01-01T00:00:01.000Z");
    for (const json& row : part.at("sources")) {
      packets += row.at("packets").get<std::uint64_t>();
      CHECK(row.at("pps") == row.at("packets"));
    }
  }
  CHECK(packets == 1500 * 1499 / 2);
}

TEST_CASE("a query that is to give way takes nothing, and can be begun again in a later tick") {
  ManySources sources(1500);
  ListQuery list(sources.tally.tally, "", {.limit = 2});
  TopQuery top(sources.tally.tally, "", {.selection = {.top = 2, .by = SortKey::packets}});
  for (Query* query : {static_cast<Query*>(&list), static_cast<Query*>(&top)}) {
    CHECK_FALSE(query->select(true));
    CHECK_FALSE(query->select(true));
  }
  sources.tick(1500, 2000);
  for (Query* query : {static_cast<Query*>(&list), static_cast<Query*>(&top)}) {
    const std::vector<json> parts = answer_to(*query);
    REQUIRE(parts.size() == 1);
    CHECK(parts[0].at("seq") == 2);
    CHECK(parts[0].at("sources").size() == 2);
  }
}

// Source number i of so many is in the network 10.i.0.0/16, i modulo `networks`, and has sent i + 1
// packets of 60 bytes; every third one again in the second tick.
struct SourcesInNetworks {
  OwnedLedger owned;
  OwnedTally tally{owned.ledger, {.interface = "eth0"}};
  std::vector<std::uint64_t> packets;  // of each network
  std::vector<std::uint64_t> in_tick;  // the same within the last tick

  SourcesInNetworks(std::uint32_t count, std::uint32_t networks)
      : owned(count), packets(networks), in_tick(networks) {
    for (const std::uint32_t step : {1u, 3u}) {
      CutWithCounts cut{.time = step * 1000, .interval = 2};
      std::ranges::fill(in_tick, 0);
      for (std::uint32_t i = 0; i < count; i += step) {
        const std::uint32_t network = i % networks;
        cut.generation.sources.push_back(
            {0x0a000000 + (network << 16) + i / networks, {i + 1, 60 * (i + 1)}});
        packets[network] += i + 1;
        in_tick[network] += i + 1;
      }
      tally.fold(cut);
    }
  }
};

std::string network_text(std::size_t network) {
  return prefix_text({0x0a000000 + (static_cast<std::uint32_t>(network) << 16), 16});
}

TEST_CASE("a list of networks is of the sums, with its bounds on them, in parts") {
  const SourcesInNetworks sources(5000, 50);
  const auto listed = [&](const ListRequest& request) {
    ListQuery query(sources.tally.tally, "", request);
    CHECK(query.is_large());
    std::vector<std::pair<std::string, std::uint64_t>> rows;
    for (const json& part : answer_to(query)) {
      CHECK(part.at("rows").at("prefix4") == request.group->of(Family::ipv4).value_or(32));
      CHECK(part.at("rows").at("prefix6") == request.group->of(Family::ipv6).value_or(128));
      for (const json& row : part.at("sources"))
        rows.emplace_back(row.at("src"), row.at("packets"));
    }
    return rows;
  };
  std::vector<std::pair<std::string, std::uint64_t>> all;
  for (std::size_t i = 0; i < 50; ++i) all.emplace_back(network_text(i), sources.packets[i]);
  CHECK(listed({.group = {{16, {}}}}) == all);
  CHECK(listed({.limit = 0, .group = {{16, {}}}}).empty());
  const auto first = listed({.limit = 7, .group = {{16, {}}}});
  CHECK(std::equal(first.begin(), first.end(), all.begin(), all.begin() + 7));
  const std::uint64_t least = sources.packets[20];
  auto frequent = all;
  std::erase_if(frequent, [&](const auto& row) { return row.second < least; });
  CHECK(listed({.min_packets = least, .group = {{16, {}}}}) == frequent);
  frequent.resize(3);
  CHECK(listed({.min_packets = least, .limit = 3, .group = {{16, {}}}}) == frequent);
  CHECK(listed({.prefix = Prefix{0x0a040000, 14}, .group = {{16, {}}}}) ==
        std::vector(all.begin() + 4, all.begin() + 8));
  CHECK(listed({.group = {{0, {}}}}).size() == 1);
  CHECK(listed({.group = {{std::nullopt, 48}}}).size() == 5000);
  CHECK(listed({.group = {{32, {}}}}).size() == 5000);
}

TEST_CASE("the highest networks are those whose sums are") {
  const SourcesInNetworks sources(5000, 50);
  for (const SortKey by : {SortKey::pps, SortKey::bps, SortKey::packets, SortKey::bytes,
                           SortKey::pps_10s, SortKey::bps_60s}) {
    const bool of_tick = by == SortKey::pps || by == SortKey::bps;
    const auto& values = of_tick ? sources.in_tick : sources.packets;
    std::vector<std::size_t> order(50);
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::ranges::stable_sort(order, std::greater(), [&](std::size_t i) {
      return std::pair(values[i], sources.packets[i]);
    });
    for (const std::size_t n : {0u, 1u, 10u, 50u, 60u}) {
      CAPTURE(n);
      TopQuery query(sources.tally.tally, "7", {{.top = n, .by = by}, Grouping{{16, 64}}});
      CHECK(query.is_large());
      const std::vector<json> parts = answer_to(query);
      REQUIRE(parts.size() == 1);
      CHECK(parts[0].at("id") == 7);
      const json& rows = parts[0].at("sources");
      REQUIRE(rows.size() == std::min<std::size_t>(n, 50));
      for (std::size_t i = 0; i < rows.size(); ++i) {
        CHECK(rows[i].at("src") == network_text(order[i]));
        CHECK(rows[i].at("sources") == 100);
        CHECK(rows[i].at("packets") == sources.packets[order[i]]);
        CHECK(rows[i].at("bytes") == 60 * sources.packets[order[i]]);
        CHECK(rows[i].at("pps") == static_cast<double>(sources.in_tick[order[i]]) / 2);
        CHECK_FALSE(rows[i].contains("trend"));
      }
    }
  }
}

TEST_CASE("a query of networks takes the memory that it says, and no more once it is prepared") {
  const SourcesInNetworks sources(5000, 2500);
  ListQuery list(sources.tally.tally, "", {.group = {{16, {}}}});
  TopQuery top(sources.tally.tally, "", {{.top = 3000}, Grouping{{16, {}}}});
  TopQuery none(sources.tally.tally, "", {{.top = 0}, Grouping{{16, {}}}});
  for (Query* query :
       {static_cast<Query*>(&list), static_cast<Query*>(&top), static_cast<Query*>(&none)}) {
    if (query != &none) CHECK_FALSE(query->select(true));
    REQUIRE(query->select(false));
    const std::size_t selected = query->memory();
    query->prepare();
    const std::size_t prepared = query->memory();
    CHECK(prepared <= selected);
    std::size_t rows = 0;
    do {
      const std::string part = query->next_part();
      rows += message_of(part).at("sources").size();
      CHECK((query == &list ? 2 : 1) * part.capacity() <= prepared);
    } while (!query->is_done());
    CHECK(rows == (query == &none ? 0 : 2500));
  }
  // Two lines of a list have room in the least --client-memory, whose last quarter is kept free.
  CHECK(list.memory() <= (std::size_t{1} << 20) * 3 / 4);
  CHECK(2 * sources_capacity("", max_part_sums, 0, 0, true) <= (std::size_t{1} << 20) * 3 / 4);
}

}  // namespace
}  // namespace xdp_count
