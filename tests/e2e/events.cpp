// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Events from the packet to the client: none too many, none missing that is not counted as lost.
#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <future>
#include <iterator>
#include <set>

#include "agent_fixture.hpp"
#include "base/base64.hpp"
#include "counting/ledger.hpp"
#include "skip.hpp"

using namespace xdp_count::testing;
using nlohmann::json;
using xdp_count::Family;

namespace {

constexpr std::uint32_t sentinel = 0xc0a80001;  // 192.168.0.1
constexpr std::uint32_t most_sentinels = 250;

json subscribe_to(const std::vector<std::string>& events) {
  return {{"cmd", "subscribe"}, {"every", 0}, {"events", events}};
}

// A client that has asked for events.
LineClient subscriber_to(const std::vector<std::string>& events) {
  LineClient client(default_socket);
  CHECK(client.answer_to(subscribe_to(events)).at("type") == "ok");
  return client;
}

// What has come of one kind.
struct Received {
  std::vector<json> events;
  std::uint64_t lost = 0;
};

// All events until one of any of so many sources from this number on, that one included.
Received events_until(LineClient& client, std::uint32_t first, std::uint32_t numbers = 1) {
  Received received;
  do {
    received.events.push_back(client.next_of_type("event"));
    received.lost += received.events.back().value("lost", std::uint64_t{0});
  } while (number_of(source_of(received.events.back())) - first >= numbers);
  return received;
}

std::multiset<std::string> sources_in(const Received& received) {
  std::multiset<std::string> sources;
  for (const json& event : received.events) sources.insert(source_of(event));
  return sources;
}

// After a flood, nobody may have room for one more event yet. So another new source sends something
// until one of them is reported.
struct Sentinels {
  std::uint32_t sent = 0;
  std::uint32_t received = 0;  // up to this one, which is the number of the last event
};

Sentinels end_with_sentinels(const Topology& topology, Family family,
                             std::future<Received>& receiving, Received& received) {
  Sentinels sentinels;
  do {
    REQUIRE(sentinels.sent < most_sentinels);
    send_frames(topology, frames_of(family, sentinel + sentinels.sent++, 1));
  } while (receiving.wait_for(std::chrono::milliseconds(100)) != std::future_status::ready);
  received = receiving.get();
  sentinels.received = number_of(source_of(received.events.back())) - sentinel + 1;
  return sentinels;
}

json counts_of(LineClient& client, const char* kind) {
  return client.answer_to({{"cmd", "status"}}).at("events").at(kind);
}

// Frames of 60 bytes from `sources` addresses that look random and are all different.
void send_scattered(const Topology& topology, Family family, std::uint32_t sources) {
  constexpr std::uint32_t at_once = 10'000;
  std::vector<Frame> frames = frames_of(family, ten_net, at_once);
  for (std::uint32_t sent = 0; sent < sources; sent += at_once) {
    for (std::uint32_t i = 0; i < at_once; ++i)
      set_source(frames[i], (sent + i + 1) * 0x9e3779b1U, family);
    send_frames(topology, frames);
  }
}

// The command's standard output, once it has ended well.
std::string output_of(Process& process) {
  const int code = process.wait();
  INFO(process.standard_error());
  CHECK(code == 0);
  return process.standard_output();
}

// Sends frames(0), frames(1) and so on until `process` has ended.
template <class Frames>
void send_until_ended(const Topology& topology, const Frames& frames, Process& process) {
  std::atomic<bool> ended = false;
  auto sending = std::async(std::launch::async, [&] {
    for (std::uint32_t round = 0; !ended; ++round) {
      send_frames(topology, frames(round));
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
  });
  // This is done also when waiting fails.
  struct End {
    std::atomic<bool>& ended;
    ~End() { ended = true; }
  };
  {
    const End end{ended};
    process.wait();
  }
  sending.get();
}

// After so many ticks without traffic all places are to be given again.
void wait_until_all_are_idle(LineClient& snapshots) {
  const std::uint64_t seq = snapshots.next_of_type("snapshot").at("seq");
  while (snapshots.next_of_type("snapshot").at("seq") <= seq + xdp_count::Ledger::recent_ticks) {
  }
}

}  // namespace

TEST_CASE_TEMPLATE("1,000 new sources are 1,000 events, and the same ones again are none", In,
                   NativeIpv4, NativeIpv6, GenericIpv4, GenericIpv6) {
  const Topology topology;
  Agent agent(topology, {"-m", In::name, "--interval", "0.1", "--events"});
  LineClient client = subscriber_to({"new_source"});
  LineClient snapshots(default_socket);

  send_frames(topology, frames_of(In::family, ten_net, 1000, 3));
  snapshot_with(snapshots, 3000);
  for (std::uint64_t round = 1; round <= 3; ++round) {
    send_frames(topology, frames_of(In::family, ten_net, 1000));
    snapshot_with(snapshots, 3000 + round * 1000);
  }
  send_frames(topology, frames_of(In::family, sentinel, 1));

  const Received received = events_until(client, sentinel);
  CHECK(received.lost == 0);
  REQUIRE(received.events.size() == 1001);
  std::multiset<std::string> expected{source_text(sentinel, In::family)};
  for (const auto& [source, count] : expected_sources(In::family, ten_net, 1000, 1))
    expected.insert(source);
  CHECK(sources_in(received) == expected);
  const json& event = received.events.front();
  CHECK(event.size() == (tested_by() == xdp_count::CountBy::pair ? 5 : 4));
  CHECK(event.at("event") == "new_source");
  CHECK(event.at("time").get<std::string>().size() == 27);
  CHECK(counts_of(snapshots, "new_source") == json{{"produced", 1001}, {"lost", 0}});
}

TEST_CASE_TEMPLATE("a new source is reported without waiting for a tick", Of, Ipv4, Ipv6) {
  const Topology topology;
  Agent agent(topology, {"--interval", "3600", "--events"});
  LineClient client = subscriber_to({"new_source"});
  send_frames(topology, frames_of(Of::family, ten_net, 1));
  CHECK(source_of(client.next_of_type("event")) == source_text(ten_net, Of::family));
  CHECK(client.answer_to({{"cmd", "status"}}).at("seq") == 0);
}

TEST_CASE_TEMPLATE("a source that comes again after it made room for others is reported again", Of,
                   Ipv4, Ipv6) {
  const Topology topology;
  Agent agent(topology, {"--interval", "0.1", "--events", "--max-sources", "4"});
  LineClient client = subscriber_to({"new_source"});
  LineClient snapshots(default_socket);
  send_frames(topology, frames_of(Of::family, ten_net, 1));
  snapshot_with(snapshots, 1);
  wait_until_all_are_idle(snapshots);
  send_frames(topology, frames_of(Of::family, ten_net + 1, 4));
  CHECK(snapshot_with(snapshots, 5).at("evicted").at("sources") == 1);
  wait_until_all_are_idle(snapshots);
  send_frames(topology, frames_of(Of::family, ten_net, 1));
  snapshot_with(snapshots, 6);
  send_frames(topology, frames_of(Of::family, sentinel, 1));
  const Received received = events_until(client, sentinel);
  CHECK(received.lost == 0);
  std::multiset<std::string> expected;
  for (const std::uint32_t number :
       {ten_net, ten_net, ten_net + 1, ten_net + 2, ten_net + 3, ten_net + 4, sentinel})
    expected.insert(source_text(number, Of::family));
  CHECK(sources_in(received) == expected);
}

TEST_CASE_TEMPLATE("the next agent knows who is not new, and goes on counting events", Of, Ipv4,
                   Ipv6) {
  const Topology topology;
  const std::vector<std::string> arguments{"--interval", "0.1", "--events", "--max-sources", "4"};
  {
    Agent first(topology, arguments);
    LineClient snapshots(default_socket);
    send_frames(topology, frames_of(Of::family, ten_net, 1));
    snapshot_with(snapshots, 1);
    wait_until_all_are_idle(snapshots);
    kill(first);
  }
  // One more than there is room for: the first one is evicted by the agent that comes.
  send_frames(topology, frames_of(Of::family, ten_net + 1, 4));
  Agent second(topology, arguments);
  LineClient snapshots(default_socket);
  CHECK(snapshot_with(snapshots, 5).at("evicted").at("sources") == 1);
  LineClient client(default_socket);
  CHECK(counts_of(client, "new_source") == json{{"produced", 5}, {"lost", 0}});
  CHECK(client.answer_to(subscribe_to({"new_source"})).at("type") == "ok");
  send_frames(topology, frames_of(Of::family, ten_net + 1, 4));
  snapshot_with(snapshots, 9);
  send_frames(topology, frames_of(Of::family, ten_net, 1));
  CHECK(source_of(client.next_of_type("event")) == source_text(ten_net, Of::family));
  second.signal(SIGINT);
  CHECK(second.wait() == 0);
}

TEST_CASE("an agent with other events replaces the program that was left") {
  const Topology topology;
  leave_program(topology, {"--interval", "0.1", "--events"});
  Agent second(topology, {"--interval", "0.1", "--sample", "10"});
  LineClient client(default_socket);
  const json options = client.answer_to({{"cmd", "status"}}).at("options");
  CHECK(options.at("events") == false);
  CHECK(options.at("sample") == 10);
  CHECK(contains(second.standard_error(), "has other settings: replaced"));
}

TEST_CASE_TEMPLATE("a flood of a million new sources: every event is delivered or counted as lost",
                   Of, Ipv4, Ipv6) {
  constexpr std::uint32_t sources = 1'000'000;
  const Topology topology;
  Agent agent(topology, {"--events"});
  LineClient client = subscriber_to({"new_source"});
  auto receiving = std::async(std::launch::async,
                              [&] { return events_until(client, sentinel, most_sentinels); });
  LineClient snapshots(default_socket);
  CHECK(snapshots.answer_to({{"cmd", "subscribe"}, {"top", 0}}).at("type") == "ok");
  auto flood =
      std::async(std::launch::async, [&] { send_scattered(topology, Of::family, sources); });

  json snapshot = snapshots.next_of_type("snapshot");
  for (std::uint64_t seq = snapshot.at("seq");; ++seq) {
    CHECK(snapshot.at("seq") == seq);
    CHECK(snapshot.at("skipped") == 0);
    check_conserved(snapshot);
    if (snapshot.at("frames").at("packets") >= sources) break;
    snapshot = snapshots.next_of_type("snapshot");
  }
  flood.get();
  CHECK(snapshot.at("frames").at("packets") == sources);
  // Each source sends one packet. A source that is given no place is not reported.
  const std::uint64_t reported =
      sources - snapshot.at("untracked").at("packets").get<std::uint64_t>();
  CHECK(snapshot.at("tracked").get<std::uint64_t>() +
            snapshot.at("evicted").at("sources").get<std::uint64_t>() ==
        reported);
  CHECK(reported >= 262'144);
  Received received;
  const Sentinels sentinels = end_with_sentinels(topology, Of::family, receiving, received);
  CHECK(received.events.size() + received.lost == reported + sentinels.received);
  const json status = snapshots.answer_to({{"cmd", "status"}});
  CHECK(status.at("events").at("new_source").at("produced") == reported + sentinels.sent);
  if (sanitized)
    skip(slow_and_large);
  else
    CHECK(status.at("ticks_missed") == 0);
  MESSAGE(received.events.size(), " delivered, ", received.lost, " lost, of those ",
          status.at("events").at("new_source").at("lost").get<std::uint64_t>(), " in the kernel");
}

TEST_CASE_TEMPLATE("what the kernel has no room for is reported to the clients as lost", Of, Ipv4,
                   Ipv6) {
  // An event takes 48 bytes of the ring of 4 MiB.
  constexpr std::uint32_t room = (4 << 20) / 48;
  constexpr std::uint32_t sources = 200'000;
  const Topology topology;
  Agent agent(topology, {"--interval", "0.1", "--events"});
  LineClient client = subscriber_to({"new_source"});
  LineClient snapshots(default_socket);
  agent.signal(SIGSTOP);
  send_scattered(topology, Of::family, sources);
  agent.signal(SIGCONT);
  auto receiving = std::async(std::launch::async,
                              [&] { return events_until(client, sentinel, most_sentinels); });
  CHECK(snapshots.answer_to({{"cmd", "subscribe"}, {"top", 0}}).at("type") == "ok");
  check_conserved(snapshot_with(snapshots, sources));
  Received received;
  const Sentinels sentinels = end_with_sentinels(topology, Of::family, receiving, received);
  CHECK(received.events.size() + received.lost == sources + sentinels.received);
  CHECK(counts_of(snapshots, "new_source") ==
        json{{"produced", sources + sentinels.sent}, {"lost", sources - room}});
}

TEST_CASE_TEMPLATE("what a client does not read is counted as lost, and others get it", Of, Ipv4,
                   Ipv6) {
  if (sanitized) return skip(slow_and_large);
  constexpr std::uint32_t sources = 40'000;
  const Topology topology;
  Agent agent(topology, {"--interval", "0.1", "--events"});
  LineClient slow = subscriber_to({"new_source"});
  LineClient quick = subscriber_to({"new_source"});
  Received all;
  // The quick client reads each part before the next one is sent.
  constexpr std::uint32_t part = 1000;
  for (std::uint32_t i = 0; i < sources; i += part) {
    send_frames(topology, frames_of(Of::family, ten_net + i, part));
    Received received = events_until(quick, ten_net + i + part - 1);
    all.lost += received.lost;
    std::ranges::move(received.events, std::back_inserter(all.events));
  }
  CHECK(all.events.size() == sources);
  CHECK(all.lost == 0);
  // The answer comes before the events that still wait; once the first of those is there, there is
  // room again.
  slow.ask({{"cmd", "status"}});
  Received some;
  bool answered = false;
  bool sent = false;
  do {
    json line = slow.next().value();
    if (line.at("type") == "status") {
      answered = true;
      continue;
    }
    some.lost += line.value("lost", std::uint64_t{0});
    some.events.push_back(std::move(line));
    if (answered && !std::exchange(sent, true))
      send_frames(topology, frames_of(Of::family, sentinel, 1));
  } while (some.events.empty() || number_of(source_of(some.events.back())) != sentinel);
  CHECK(some.events.size() < sources);
  CHECK(some.events.size() + some.lost == sources + 1);
}

TEST_CASE_TEMPLATE(
    "what is lost and no later event reports is in the goodbye, and no new subscription hides it",
    Of, Ipv4, Ipv6) {
  constexpr std::uint32_t sources = 40'000;
  const Topology topology;
  Agent agent(topology, {"--interval", "0.1", "--events"});
  LineClient client = subscriber_to({"new_source"});
  LineClient snapshots(default_socket);
  send_frames(topology, frames_of(Of::family, ten_net, sources));
  snapshot_with(snapshots, sources);
  // This subscribes to the same events: those that wait stay.
  client.ask({{"cmd", "subscribe"}, {"top", 0}, {"every", 3600}, {"events", {"new_source"}}});
  snapshots.answer_to({{"cmd", "status"}});
  agent.signal(SIGTERM);
  std::uint64_t events = 0;
  std::uint64_t lost = 0;
  json line;
  do {
    line = client.next().value();
    if (line.at("type") != "event") continue;
    ++events;
    lost += line.value("lost", std::uint64_t{0});
  } while (line.at("type") != "goodbye");
  CHECK(events + lost < sources);
  CHECK(line.at("lost") == json{{"new_source", sources - events - lost}});
  CHECK(agent.wait() == 0);
}

TEST_CASE("one frame in a thousand is sampled, within five standard deviations") {
  constexpr std::uint32_t frames = 1'000'000;
  const Topology topology;
  Agent agent(topology, {"--interval", "0.1", "--sample", "1000"});
  LineClient client = subscriber_to({"sample"});
  LineClient snapshots(default_socket);
  const std::vector<Frame> round = ipv4_frames(ten_net, 10'000);
  for (std::uint32_t sent = 0; sent < frames; sent += 10'000) send_frames(topology, round);
  snapshot_with(snapshots, frames);
  const std::uint64_t produced = counts_of(snapshots, "sample").at("produced");
  CHECK(counts_of(snapshots, "sample").at("lost") == 0);
  const double deviation = std::sqrt(frames * 0.001 * 0.999);
  CHECK(std::abs(static_cast<double>(produced) - frames * 0.001) <= 5 * deviation);
  // Each of them arrives, and is one of those that were sent.
  std::set<std::string> heads;
  for (const Frame& frame : round) heads.insert(xdp_count::base64(frame));
  for (std::uint64_t i = 0; i < produced; ++i) {
    const json event = client.next_of_type("event");
    CHECK(event.at("length") == 60);
    CHECK(heads.contains(event.at("head").get<std::string>()));
    CHECK_FALSE(event.contains("lost"));
  }
}

TEST_CASE_TEMPLATE("samples say what was sent", Mode, Native, Generic) {
  const Topology topology;
  Agent agent(topology, {"-m", Mode::name, "--interval", "0.1", "--sample", "1"});
  LineClient client = subscriber_to({"sample"});
  const auto check = [&](const PacketBuilder& builder, json expected) {
    const Frame frame = builder.build();
    send_frames(topology, std::vector<Frame>{frame});
    json event = client.next_of_type("event");
    CHECK(event.erase("time") == 1);
    expected["type"] = "event";
    expected["event"] = "sample";
    expected["length"] = frame.size();
    expected["head"] =
        xdp_count::base64(std::span(frame).first(std::min<std::size_t>(frame.size(), 128)));
    CHECK(event == expected);
  };
  const json addresses{{"src", "192.0.2.1"}, {"dst", "198.51.100.1"}};
  const auto with = [&](json more) {
    more.update(addresses);
    return more;
  };
  check(PacketBuilder().ipv4().tcp(443, 51234).frame_length(1514),
        with({{"proto", "tcp"}, {"sport", 443}, {"dport", 51234}}));
  check(PacketBuilder().vlan(0x88a8, 7).vlan(0x8100, 100).ipv4().udp(53, 1024).frame_length(90),
        with({{"proto", "udp"}, {"sport", 53}, {"dport", 1024}, {"vlan", {7, 100}}}));
  check(PacketBuilder().ipv4().icmp().frame_length(98), with({{"proto", "icmp"}}));
  check(
      PacketBuilder().ipv4({.protocol = std::uint8_t{17}, .fragment_offset = 185}).frame_length(98),
      with({{"proto", "udp"}}));
  check(PacketBuilder().arp().pad_to(60), with({{"proto", "arp"}}));
  check(PacketBuilder().ipv6().udp(546, 547).frame_length(90), {{"src", "2001:db8::1"},
                                                                {"dst", "2001:db8::2"},
                                                                {"proto", "udp"},
                                                                {"sport", 546},
                                                                {"dport", 547}});
  check(PacketBuilder().ethertype(0x88cc).payload({1, 2, 3}).pad_to(60), {{"proto", "0x88cc"}});
}

TEST_CASE("events that the agent does not report are refused, with what would help") {
  const Topology topology;
  Agent agent(topology, {"--interval", "0.1"});
  LineClient client(default_socket);
  CHECK(client.answer_to(subscribe_to({"new_source"})).at("message") ==
        "events: new_source takes an agent that was started with --events");
  CHECK(client.answer_to(subscribe_to({"sample"})).at("message") ==
        "events: sample takes an agent that was started with --sample");
  Process events({CLIENT, "events"});
  CHECK(events.wait() == 1);
  CHECK(events.standard_error() ==
        "xdp-countctl: the agent reports no events: start it with --events, --sample N or both\n");
  Process new_sources({CLIENT, "events", "--new"});
  CHECK(new_sources.wait() == 1);
  CHECK(new_sources.standard_error() ==
        "xdp-countctl: the agent reports no new sources: start it with --events\n");
  Process samples({CLIENT, "events", "--samples"});
  CHECK(samples.wait() == 1);
  CHECK(samples.standard_error() ==
        "xdp-countctl: the agent samples no frames: start it with --sample N\n");
  Process capture({CLIENT, "samples", "--pcap", "-"});
  CHECK(capture.wait() == 1);
  CHECK(capture.standard_error() ==
        "xdp-countctl: the agent samples no frames: start it with --sample N\n");
  CHECK(capture.standard_output() == "");
}

TEST_CASE("xdp-countctl events prints a line for each event") {
  const Topology topology;
  Agent agent(topology, {"--interval", "0.1", "--events", "--sample", "1"});
  LineClient ready(default_socket);
  ready.next_of_type("snapshot");
  const auto frames = [](std::uint32_t) {
    return std::vector<Frame>{
        PacketBuilder().vlan(0x8100, 100).ipv4().tcp(443, 51234).frame_length(98).build()};
  };

  Process samples({CLIENT, "events", "--samples", "-c", "2"});
  send_until_ended(topology, frames, samples);
  const std::string line = "  tcp 192.0.2.1:443 > 198.51.100.1:51234, 98 bytes, vlan 100\n";
  const std::string printed = output_of(samples);
  REQUIRE(printed.size() == 2 * (27 + line.size()));
  CHECK(printed.substr(27, line.size()) == line);
  CHECK(printed.substr(27 + line.size() + 27) == line);

  // That source is known by now.
  const auto new_one = [](std::uint32_t round) { return ipv4_frames(ten_net + round, 1); };
  Process new_sources({CLIENT, "events", "--new", "-c", "1", "--json"});
  send_until_ended(topology, new_one, new_sources);
  const json event = json::parse(output_of(new_sources));
  CHECK(event.at("event") == "new_source");
  CHECK(event.at("src").get<std::string>().starts_with("10.0."));
}

TEST_CASE("tshark reads what xdp-countctl samples writes") {
  const Topology topology;
  Agent agent(topology, {"--interval", "0.1", "--sample", "1"});
  LineClient ready(default_socket);
  ready.next_of_type("snapshot");
  const auto frames = [](std::uint32_t) {
    return std::vector<Frame>{
        PacketBuilder().vlan(0x8100, 100).ipv4().udp(1024, 9).frame_length(1000).build()};
  };
  const std::string fields =
      " -T fields -E separator=, -e frame.len -e frame.cap_len -e vlan.id -e ip.src -e ip.dst "
      "-e udp.srcport -e udp.dstport -e frame.interface_name 2>/dev/null";
  const std::string expected = "1000,128,100,192.0.2.1,198.51.100.1,1024,9,count0\n";

  Process piped({"/bin/sh", "-c", CLIENT " samples -c 3 --pcap - | tshark -r - " + fields});
  send_until_ended(topology, frames, piped);
  CHECK(output_of(piped) == expected + expected + expected);

  const auto path = std::filesystem::temp_directory_path() /
                    ("xdp-count-" + std::to_string(::getpid()) + ".pcapng");
  Process to_file({CLIENT, "samples", "-c", "1", "--pcap", path.string()});
  send_until_ended(topology, frames, to_file);
  CHECK(output_of(to_file) == "");
  Process read({"/bin/sh", "-c", "tshark -r " + path.string() + fields});
  CHECK(output_of(read) == expected);
  std::filesystem::remove(path);
}
