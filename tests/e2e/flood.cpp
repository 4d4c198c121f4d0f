// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// What others send takes no packet from a source that is established, however many they are; and a
// source that sends a large share becomes established among them. Exact to the packet: what has
// arrived is known from behind the agent's program.
#include <doctest/doctest.h>

#include <chrono>
#include <future>
#include <optional>
#include <thread>

#include "agent_fixture.hpp"
#include "base/address.hpp"
#include "live_traffic.hpp"
#include "skip.hpp"

using namespace xdp_count::testing;
using nlohmann::json;
using xdp_count::Address, xdp_count::Family;

namespace {

constexpr std::uint32_t steady_sources = 1000;
constexpr std::uint64_t steady_rate = 10 * steady_sources;
constexpr std::uint64_t frame_bytes = 60;
constexpr std::uint64_t default_room = 262'144;  // what --max-sources is
constexpr unsigned most_ticks = 60;              // that a test waits for anything

// What sends, and what knows what has arrived.
struct Scene {
  explicit Scene(Family family) : traffic(topology, arrivals, {tested_by(), family}) {}

  Topology topology;
  Arrivals arrivals{topology, tested_by()};
  LiveTraffic traffic;
};

std::string marked_source(Family family, std::uint32_t index) {
  return address_text(family == Family::ipv4
                          ? Address(LF_MARKED_FIRST + index)
                          : Address(std::uint64_t{LF_MARKED_IPV6_FIRST} << 32, index));
}
std::string heavy_hitter(Family family) {
  return marked_source(family, LF_HEAVY_INDEX);
}
const char* marked_network(Family family) {
  return family == Family::ipv4 ? "198.18.0.0/22" : "2001:2::/118";
}

// A client that gets so many sources in each snapshot, those that sent most in the interval.
LineClient subscriber(std::uint32_t top) {
  LineClient client(default_socket);
  REQUIRE(client.answer_to({{"cmd", "subscribe"}, {"top", top}}).at("type") == "ok");
  return client;
}

// The snapshot after so many more, each of them checked.
json after_ticks(LineClient& stream, unsigned ticks) {
  json snapshot;
  for (unsigned i = 0; i < ticks; ++i) {
    snapshot = stream.next_of_type("snapshot");
    check_conserved(snapshot);
  }
  return snapshot;
}

std::uint64_t packets_of_both(const json& classes) {
  return count_of(classes.at("ipv4")).packets + count_of(classes.at("ipv6")).packets;
}

// The first snapshot with all that has arrived. Nothing is sent any more.
json snapshot_with_all(LineClient& stream, const Arrivals& arrivals) {
  json snapshot = snapshot_with(stream, arrivals.frames());
  CHECK(snapshot.at("frames").at("packets") == arrivals.frames());
  CHECK(packets_of_both(snapshot.at("classes")) == arrivals.frames());
  CHECK(count_of(snapshot.at("frames")) ==
        Count{arrivals.frames(), arrivals.frames() * frame_bytes});
  return snapshot;
}

// Calls use(line) for each line of a list, one at a time: of a million rows all would take so long,
// and so much memory, that the agent would have waited for long enough.
template <class Use>
void read_list(const json& request, const Use& use) {
  LineClient client(default_socket);
  json line = client.answer_to(request);
  INFO(line.value("message", ""));
  REQUIRE(line.at("type") == "sources");
  use(line);
  while (line.at("more")) {
    line = client.next_of_type("sources");
    use(line);
  }
}

// What the marked sources should have in their rows, the heavy hitter too if it has sent something.
std::map<std::string, Count> expected_rows(const Arrivals& arrivals, Family family) {
  std::map<std::string, Count> expected;
  const auto counts = arrivals.of_marked();
  for (std::uint32_t i = 0; i < LF_MARKED_SOURCES; ++i)
    if (counts[i] != 0) expected[marked_source(family, i)] = {counts[i], counts[i] * frame_bytes};
  return expected;
}

// The difference in words, with an example; empty when there is none.
std::string difference(const std::map<std::string, Count>& rows,
                       const std::map<std::string, Count>& expected) {
  if (rows == expected) return "";
  std::size_t differing = 0;
  std::uint64_t lost = 0;
  std::uint64_t sent = 0;
  std::string example;
  for (const auto& [source, count] : expected) {
    const auto found = rows.find(source);
    const Count row = found == rows.end() ? Count{} : found->second;
    sent += count.packets;
    lost += count.packets - row.packets;
    if (row == count) continue;
    if (differing++ == 0)
      example = source + " has " + std::to_string(row.packets) + " packets of " +
                std::to_string(count.packets);
  }
  return std::to_string(differing) + " of " + std::to_string(expected.size()) +
         " rows differ: " + std::to_string(lost) + " packets of " + std::to_string(sent) +
         " are not in them; " + example;
}

void check_steady_rows(const Arrivals& arrivals, Family family) {
  std::map<std::string, Count> rows;
  read_list({{"cmd", "list"}, {"prefix", marked_network(family)}},
            [&](const json& line) { rows.merge(sources_of(line)); });
  const auto expected = expected_rows(arrivals, family);
  CHECK(expected.size() >= steady_sources);
  CHECK(difference(rows, expected) == "");
}

// All rows, and what is in none, of one snapshot: this one or a later one of the stream.
void check_whole_list(LineClient& stream, json snapshot) {
  std::uint64_t seq = 0;
  std::uint64_t rows = 0;
  std::uint64_t packets = 0;
  read_list({{"cmd", "list"}}, [&](const json& line) {
    seq = line.at("seq");
    rows += line.at("sources").size();
    for (const json& row : line.at("sources")) packets += row.at("packets").get<std::uint64_t>();
  });
  while (snapshot.at("seq") < seq) snapshot = stream.next_of_type("snapshot");
  REQUIRE(snapshot.at("seq") == seq);
  CHECK(rows == snapshot.at("tracked"));
  packets += count_of(snapshot.at("evicted")).packets + count_of(snapshot.at("untracked")).packets;
  CHECK(packets == packets_of_both(snapshot.at("classes")));
}

std::uint64_t established(const json& status) {
  return status.value("established", std::uint64_t{0});
}

// Steady sources that have been counted in three ticks and more.
void establish(LineClient& stream, Scene& scene) {
  scene.traffic.begin_steady(steady_sources, steady_rate);
  after_ticks(stream, 4);
}

// What has arrived becomes so much.
template <class Condition>
void wait_until(const Condition& condition) {
  const auto deadline = std::chrono::steady_clock::now() + LineClient::patience;
  while (!condition()) {
    REQUIRE(std::chrono::steady_clock::now() < deadline);
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
}

// Sends so many ticks of it, and more until it has been far more than any table holds.
void flood(LineClient& stream, Scene& scene, const FloodPattern& pattern, unsigned ticks,
           std::uint64_t frames) {
  const std::uint64_t end = scene.arrivals.frames() + frames;
  scene.traffic.begin_flood(pattern);
  for (unsigned tick = 0; tick < ticks || scene.arrivals.frames() < end; ++tick) {
    REQUIRE(tick < most_ticks);
    after_ticks(stream, 1);
  }
  scene.traffic.end_flood();
}

struct Attack {
  Family family = Family::ipv4;
  FloodPattern pattern = FloodPattern::random_of_2_to(24);
  std::uint64_t max_sources = default_room;
  std::vector<std::string> options = {};
  unsigned ticks = 3;
};

// Steady sources before, beside and after a flood: in the end each has a row with every packet.
// Calls `begin()` before anything is sent, and `end(agent, status)` when all has been checked.
template <class Begin, class End>
void check_promise(const Attack& attack, const std::string& mode, const Begin& begin,
                   const End& end) {
  Scene scene(attack.family);
  std::vector<std::string> arguments{"-m", mode, "--max-sources",
                                     std::to_string(attack.max_sources)};
  arguments.insert(arguments.end(), attack.options.begin(), attack.options.end());
  Agent agent(scene.topology, arguments);
  INFO(agent.standard_error());
  LineClient stream = subscriber(0);
  begin();
  establish(stream, scene);
  flood(stream, scene, attack.pattern, attack.ticks, 2 * attack.max_sources);
  after_ticks(stream, 1);
  scene.traffic.finish();

  const json snapshot = snapshot_with_all(stream, scene.arrivals);
  MESSAGE(mode, ": ", scene.arrivals.frames(), " frames in ", snapshot.at("seq").get<int>(),
          " ticks");
  check_steady_rows(scene.arrivals, attack.family);
  check_whole_list(stream, snapshot);
  const json status = status_of_agent();
  CHECK(established(status) >= steady_sources);
  if (sanitized)
    skip(slow_and_large);
  else
    CHECK(status.at("ticks_missed") == 0);
  end(agent, status);
}

void check_promise(const Attack& attack, const std::string& mode = "native") {
  check_promise(
      attack, mode, [] {}, [](Agent&, const json&) {});
}

// The events of each kind: those that came, and those that are reported as lost.
using CountsByKind = std::map<std::string, std::uint64_t>;

CountsByKind events_until_goodbye(LineClient& client) {
  CountsByKind counts;
  for (;;) {
    const json line = client.next().value();
    if (line.at("type") == "goodbye") {
      const json losses = line.value("lost", json::object());
      for (const auto& [kind, lost] : losses.items()) counts[kind] += lost.get<std::uint64_t>();
      return counts;
    }
    if (line.at("type") == "event")
      counts[line.at("event")] += 1 + line.value("lost", std::uint64_t{0});
  }
}

// The packets in the row of the heavy hitter in a snapshot; nothing where it is not shown.
std::optional<std::uint64_t> heavy_row(const json& snapshot, Family family) {
  for (const json& row : snapshot.at("sources"))
    if (source_of(row) == heavy_hitter(family)) return row.at("packets").get<std::uint64_t>();
  return {};
}

// Its packets among the frames that this snapshot has counted.
std::uint64_t heavy_sent(const Arrivals& arrivals, const json& snapshot) {
  return arrivals.of_marked(snapshot.at("frames").at("packets")).at(LF_HEAVY_INDEX);
}

// One of `every` frames is a share of at least 100 / max_sources.
void check_heavy_hitter(Family family, std::uint64_t max_sources, std::uint32_t every) {
  Scene scene(family);
  Agent agent(scene.topology, {"--max-sources", std::to_string(max_sources)});
  LineClient stream = subscriber(10);
  scene.traffic.begin_flood(FloodPattern::random_of_2_to(32));
  after_ticks(stream, 2);
  scene.traffic.set_heavy(every);
  wait_until([&] { return scene.arrivals.of_marked()[LF_HEAVY_INDEX] > 0; });
  snapshot_with(stream, scene.arrivals.frames());  // it began in this interval, or before

  const json first = after_ticks(stream, 1);
  REQUIRE(heavy_row(first, family).has_value());
  CHECK(source_of(first.at("sources").at(0)) == heavy_hitter(family));
  for (int tick = 0; tick < 2; ++tick) {
    const json next = after_ticks(stream, 1);
    REQUIRE(heavy_row(next, family).has_value());
    CHECK(*heavy_row(next, family) - *heavy_row(first, family) ==
          heavy_sent(scene.arrivals, next) - heavy_sent(scene.arrivals, first));
  }
  CHECK(established(status_of_agent()) >= 1);

  // It is established: from here on some packets a second will do.
  scene.traffic.set_heavy(100'000);
  after_ticks(stream, 3);
  scene.traffic.finish();
  const json last = snapshot_with_all(stream, scene.arrivals);
  LineClient client(default_socket);
  const json rows = client.answer_to(request_for(heavy_hitter(family)));
  REQUIRE(heavy_row(rows, family).has_value());
  CHECK(*heavy_row(rows, family) - *heavy_row(first, family) ==
        heavy_sent(scene.arrivals, last) - heavy_sent(scene.arrivals, first));
  if (sanitized) return skip(slow_and_large);
  CHECK(status_of_agent().at("ticks_missed") == 0);
}

}  // namespace

// To fill the default tables twice takes half a minute; what a flood is of besides is tried with a
// quarter of them.
constexpr std::uint64_t quarter_room = default_room / 4;

// Generic mode runs the same program: one family there.
TEST_CASE_TEMPLATE("a flood of random sources takes no packet from those that are established", In,
                   NativeIpv4, NativeIpv6, GenericIpv4) {
  check_promise({.family = In::family, .ticks = 6}, In::name);
}

TEST_CASE_TEMPLATE("no flood from random IPv6 addresses does", In, NativeIpv4, NativeIpv6,
                   GenericIpv6) {
  check_promise({.family = In::family, .pattern = FloodPattern::random_ipv6(), .ticks = 6},
                In::name);
}

TEST_CASE_TEMPLATE("no flood from random IPv6 addresses does where there is little room", Of, Ipv4,
                   Ipv6) {
  check_promise(
      {.family = Of::family, .pattern = FloodPattern::random_ipv6(), .max_sources = 10'000});
}

TEST_CASE_TEMPLATE("no flood of 2^22 random sources does", Of, Ipv4, Ipv6) {
  check_promise({.family = Of::family,
                 .pattern = FloodPattern::random_of_2_to(22),
                 .max_sources = quarter_room});
}

TEST_CASE_TEMPLATE("no flood from all addresses at random does", Of, Ipv4, Ipv6) {
  check_promise({.family = Of::family,
                 .pattern = FloodPattern::random_of_2_to(32),
                 .max_sources = quarter_room});
}

TEST_CASE_TEMPLATE("no flood from all addresses in order does", Of, Ipv4, Ipv6) {
  check_promise(
      {.family = Of::family, .pattern = FloodPattern::all_in_order(), .max_sources = quarter_room});
}

// These come back, each some times a second, and are established too, far more of them than half of
// the places: then those stay that send most. So this flood is of so many that each sends much less
// than a steady source, on a fast machine too.
TEST_CASE_TEMPLATE("no flood from twice as many as there is room for does, one after the other", Of,
                   Ipv4, Ipv6) {
  check_promise({.family = Of::family, .pattern = {.sources = 2 * default_room}});
}

TEST_CASE_TEMPLATE("no flood does where there is little room", Of, Ipv4, Ipv6) {
  check_promise({.family = Of::family, .max_sources = 10'000});
}

TEST_CASE("no flood does where there is much room") {
  if (thread_sanitizer) return skip(slow_and_large);
  check_promise({.max_sources = 1'000'000});
}

TEST_CASE_TEMPLATE(
    "no flood does with events and samples, of which each is delivered or reported as lost", Of,
    Ipv4, Ipv6) {
  std::optional<LineClient> client;
  std::future<CountsByKind> receiving;
  const auto listen = [&] {
    client.emplace(default_socket);
    const json request{{"cmd", "subscribe"}, {"every", 0}, {"events", {"new_source", "sample"}}};
    REQUIRE(client->answer_to(request).at("type") == "ok");
    receiving = std::async(std::launch::async, [&] { return events_until_goodbye(*client); });
  };
  const Attack attack{.family = Of::family, .options = {"--events", "--sample", "1000"}};
  check_promise(attack, "native", listen, [&](Agent& agent, const json& status) {
    agent.signal(SIGTERM);
    const CountsByKind counts = receiving.get();
    for (const char* kind : {"new_source", "sample"}) {
      CAPTURE(kind);
      CHECK(counts.at(kind) == status.at("events").at(kind).at("produced"));
    }
    CHECK(agent.wait() == 0);
  });
}

TEST_CASE_TEMPLATE(
    "a source with a large share in mid-flood is seen at once, and soon keeps every packet", Of,
    Ipv4, Ipv6) {
  check_heavy_hitter(Of::family, default_room, 2048);
}

TEST_CASE_TEMPLATE("so is who sends a large share where there is little room", Of, Ipv4, Ipv6) {
  check_heavy_hitter(Of::family, 10'000, 64);
}

TEST_CASE_TEMPLATE("an agent that is killed in mid-flood costs the established ones no packet", In,
                   NativeIpv4, NativeIpv6, GenericIpv6) {
  Scene scene(In::family);
  const std::vector<std::string> arguments{"-m", In::name};
  // All addresses: hardly any of them twice, so that no other becomes established.
  const FloodPattern pattern = FloodPattern::random_of_2_to(32);
  std::uint64_t before = 0;
  {
    Agent first(scene.topology, arguments);
    LineClient stream = subscriber(0);
    establish(stream, scene);
    scene.traffic.begin_flood(pattern);
    after_ticks(stream, 2);
    before = established(status_of_agent());
    CHECK(before >= steady_sources);
    kill(first);
  }
  // Nobody empties the tables meanwhile: more comes than they hold.
  const std::uint64_t enough = scene.arrivals.frames() + 1'000'000;
  wait_until([&] { return scene.arrivals.frames() >= enough; });
  Agent second(scene.topology, arguments);
  LineClient stream = subscriber(0);
  CHECK(established(status_of_agent()) >= before);
  after_ticks(stream, 2);
  scene.traffic.end_flood();
  after_ticks(stream, 1);
  scene.traffic.finish();
  const json snapshot = snapshot_with_all(stream, scene.arrivals);
  check_steady_rows(scene.arrivals, In::family);
  check_whole_list(stream, snapshot);
  CHECK(established(status_of_agent()) >= before);
  CHECK(contains(second.standard_error(), "adopted program "));
  CHECK(!contains(second.standard_error(), "do not add up"));
}

TEST_CASE_TEMPLATE("where more are active than there is room for, the heaviest keeps its row", Of,
                   Ipv4, Ipv6) {
  constexpr std::uint32_t others = 42;
  constexpr std::uint64_t rate = 20'000;
  Scene scene(Of::family);
  Agent agent(scene.topology, {"--interval", "0.2", "--max-sources", "10"});
  LineClient stream = subscriber(10);
  scene.traffic.set_heavy(2);
  scene.traffic.begin_flood({.sources = others}, rate);
  json first;
  for (unsigned tick = 0; first.is_null() || !heavy_row(first, Of::family); ++tick) {
    REQUIRE(tick < most_ticks);
    first = after_ticks(stream, 1);
  }
  std::uint64_t packets = *heavy_row(first, Of::family);
  for (int tick = 0; tick < 20; ++tick) {
    const json next = after_ticks(stream, 1);
    REQUIRE(heavy_row(next, Of::family).has_value());
    CHECK(*heavy_row(next, Of::family) > packets);
    packets = *heavy_row(next, Of::family);
    CHECK(packets - *heavy_row(first, Of::family) ==
          heavy_sent(scene.arrivals, next) - heavy_sent(scene.arrivals, first));
  }
  CHECK(after_ticks(stream, 1).at("tracked") == 10);
}
