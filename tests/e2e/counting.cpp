// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <doctest/doctest.h>

#include <cstdlib>
#include <set>

#include "agent_fixture.hpp"
#include "cpus.hpp"

using namespace xdp_count::testing;
using xdp_count::Family;

namespace {

bool receiver_has_frames(const Topology& topology) {
  Process ip({"/usr/bin/env", "ip", "-json", "-stats", "link", "show", Topology::receiver_link},
             {.network_namespace = topology.receiver()});
  REQUIRE(ip.wait() == 0);
  return nlohmann::json::parse(ip.standard_output()).at(0).at("stats64").at("rx").at("packets") > 0;
}

// One frame of every kind, with several sources, and what must be counted for them.
struct MixedTraffic {
  std::vector<Frame> frames;
  std::map<std::string, Count> sources;
  std::map<std::string, Count> classes;
  Count all;

  MixedTraffic() {
    const auto from = [](std::uint32_t source) {
      return packet_from(source, Family::ipv4).udp(1024, 9);
    };
    const auto ipv6_from = [](const Ipv6Address& source) {
      return PacketBuilder().ipv6(counted_ipv6({.source = source}));
    };
    add("ipv4", from(ten_net).frame_length(60), "10.0.0.1");
    add("ipv4", from(ten_net).frame_length(1514), "10.0.0.1");
    add("ipv4", from(ten_net + 1).vlan(0x8100, 100).frame_length(64), "10.0.0.2");
    add("ipv4", from(ten_net + 1).vlan(0x88a8, 7).vlan(0x8100, 100).frame_length(700), "10.0.0.2");
    add("ipv4", from(ten_net + 2).tcp(1024, 443).frame_length(61), "10.0.0.3");
    add("ipv4",
        PacketBuilder()
            .ipv4(counted_ipv4({.source = ten_net + 3, .fragment_offset = 100}))
            .pad_to(60),
        "10.0.0.4");
    add("ipv4", from(0xfffffffe).frame_length(333), "255.255.255.254");
    const Ipv6Address usual = Ipv6Fields{}.source;
    add("ipv6", ipv6_from(usual).udp(1024, 9).frame_length(90), "2001:db8::1");
    add("ipv6", ipv6_from(usual).vlan(0x8100, 5).udp(1024, 9).frame_length(90), "2001:db8::1");
    add("ipv6", ipv6_from({0xfe, 0x80}).pppoe().udp(1, 2).frame_length(99), "fe80::");
    add("ipv6", ipv6_from({0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 0, 0, 1}),
        "::ffff:10.0.0.1");
    add("arp", PacketBuilder().arp({}).pad_to(60));
    add("other", PacketBuilder().ethertype(0x88cc).payload({1, 2, 3}).pad_to(60));
    add("malformed", PacketBuilder().ipv4({.source = ten_net, .version = 5}).frame_length(60));
    add("malformed", PacketBuilder().ipv4({.source = ten_net, .ihl = 4}).frame_length(60));
    add("malformed", PacketBuilder().ipv4({.source = ten_net}).truncate(33));
    add("malformed", PacketBuilder().ipv6({.version = 4}).udp(1024, 9));
    add("malformed", PacketBuilder().ipv6({.payload_length = 1}));
  }

 private:
  void add(const char* frame_class, const PacketBuilder& builder, const char* source = nullptr) {
    const Frame frame = builder.build();
    const auto count = [&](Count& c) {
      ++c.packets;
      c.bytes += frame.size();
    };
    count(classes[frame_class]);
    count(all);
    if (source) count(sources[source]);
    frames.push_back(frame);
  }
};

}  // namespace

TEST_CASE_TEMPLATE("every frame is counted once, in its class and under its source", Mode, Native,
                   Generic) {
  const Topology topology;
  Agent agent(topology, {"-m", Mode::name, "--interval", "0.1"});
  LineClient client(default_socket);
  const MixedTraffic traffic;
  constexpr std::uint64_t rounds = 50;
  for (std::uint64_t i = 0; i < rounds; ++i) send_frames(topology, traffic.frames);

  const auto snapshot = snapshot_with(client, rounds * traffic.frames.size());
  const auto times = [](const Count& count) {
    return Count{count.packets * rounds, count.bytes * rounds};
  };
  CHECK(snapshot.at("mode") == Mode::name);
  CHECK(count_of(snapshot.at("frames")) == times(traffic.all));
  for (const auto& [name, value] : snapshot.at("classes").items()) {
    CAPTURE(name);
    CHECK(count_of(value) == times(traffic.classes.at(name)));
  }
  auto expected = traffic.sources;
  for (auto& [source, count] : expected) count = times(count);
  CHECK(sources_of(snapshot) == expected);
  CHECK(snapshot.at("tracked") == expected.size());
  CHECK(snapshot.at("untracked").at("packets") == 0);
  CHECK(snapshot.at("evicted").at("sources") == 0);
  CHECK(snapshot.at("nic").at("rx_packets") == rounds * traffic.frames.size());
}

TEST_CASE_TEMPLATE("a frame larger than a page is counted with all of its bytes", In, NativeIpv4,
                   NativeIpv6, GenericIpv4, GenericIpv6) {
  const Topology topology;
  set_mtu(topology, 9000);
  Agent agent(topology, {"-m", In::name, "--interval", "0.1"});
  LineClient client(default_socket);
  const Frame frame = packet_from(ten_net, In::family).udp(1, 9).frame_length(9014).build();
  send_frames(topology, std::vector<Frame>(10, frame));
  const auto snapshot = snapshot_with(client, 10);
  CHECK(sources_of(snapshot) ==
        std::map<std::string, Count>{{source_text(ten_net, In::family), {10, 90'140}}});
}

TEST_CASE_TEMPLATE("with the verdict pass the host gets every frame unchanged, with drop none", In,
                   NativeIpv4, NativeIpv6, GenericIpv4, GenericIpv6) {
  for (const bool pass : {true, false}) {
    CAPTURE(pass);
    const Topology topology;
    Agent agent(topology,
                {"-m", In::name, "--interval", "0.1", "--verdict", pass ? "pass" : "drop"});
    LineClient client(default_socket);
    client.next_of_type("snapshot");
    const std::vector<Frame> frames = frames_of(In::family, ten_net, 100);
    std::vector<Frame> arrived;
    in_network_namespace(topology.receiver(), [&] {
      PacketSocket host(Topology::receiver_link);
      send_frames(topology, frames);
      arrived = host.receive(std::chrono::milliseconds(200));
    });
    CAPTURE(arrived.size());
    CHECK(arrived == (pass ? frames : std::vector<Frame>{}));
    CHECK(sources_of(snapshot_with(client, 100)) == expected_sources(In::family, ten_net, 100, 1));
  }
}

TEST_CASE_TEMPLATE("a source that is given no place in the kernel's tables is counted as untracked",
                   In, NativeIpv4, NativeIpv6, GenericIpv4, GenericIpv6) {
  constexpr std::uint64_t capacity = 1000, sources = 5000;
  const Topology topology;
  // No tick before the end: all is counted in one generation.
  Agent agent(topology,
              {"-m", In::name, "--interval", "3600", "--max-sources", "1000", "--hot-slots", "8"});
  LineClient client(default_socket);
  CHECK(client.answer_to({{"cmd", "subscribe"}, {"top", 10000}}).at("type") == "ok");
  {
    // A veth pair hands frames over on the CPU that sends them, so that none meets one of another.
    const OnOneCpu pinned;
    send_frames(topology, frames_of(In::family, ten_net, sources));
    send_frames(topology, frames_of(In::family, ten_net, capacity, 2));
  }
  agent.signal(SIGTERM);
  const auto snapshot = client.next_of_type("snapshot");
  check_conserved(snapshot);
  constexpr std::uint64_t sent = sources + 2 * capacity;
  CHECK(count_of(snapshot.at("frames")) == Count{sent, sent * 60});
  CHECK(snapshot.at("tracked") == capacity);
  CHECK(snapshot.at("shown") == capacity);
  CHECK(count_of(snapshot.at("untracked")) == Count{sources - capacity, (sources - capacity) * 60});
  CHECK(snapshot.at("evicted").at("sources") == 0);
  CHECK(sources_of(snapshot) == expected_sources(In::family, ten_net, capacity, 3));
}

TEST_CASE_TEMPLATE(
    "new sources take the place of those idle longest, whose counts are kept as evicted", Of, Ipv4,
    Ipv6) {
  const Topology topology;
  Agent agent(topology, {"--interval", "0.1", "--max-sources", "1000"});
  LineClient client(default_socket);
  CHECK(client.answer_to({{"cmd", "subscribe"}, {"top", 10000}}).at("type") == "ok");
  std::uint64_t sent = 0;
  // Each in one tick, and each so long after the one before that its places are free to be given.
  const auto send = [&](std::uint32_t first, std::uint32_t sources, std::uint32_t packets) {
    const OnOneCpu pinned;
    client.next_of_type("snapshot");
    send_frames(topology, frames_of(Of::family, first, sources, packets));
    sent += sources * packets;
    snapshot_with(client, sent);
    for (int tick = 0; tick < 4; ++tick) client.next_of_type("snapshot");
    return snapshot_with(client, sent);
  };
  constexpr std::uint32_t old_source = ten_net, kept_source = ten_net + 600,
                          new_source = ten_net + 100'000;
  CHECK(send(old_source, 600, 1).at("tracked") == 600);
  CHECK(send(kept_source, 400, 1).at("tracked") == 1000);

  const auto snapshot = send(new_source, 600, 1);
  CHECK(snapshot.at("tracked") == 1000);
  CHECK(snapshot.at("evicted").at("sources") == 600);
  CHECK(count_of(snapshot.at("evicted")) == Count{600, 36'000});
  CHECK(snapshot.at("untracked").at("packets") == 0);
  auto expected = expected_sources(Of::family, kept_source, 400, 1);
  expected.merge(expected_sources(Of::family, new_source, 600, 1));
  CHECK(sources_of(snapshot) == expected);
}

TEST_CASE("an agent that starts under traffic has no difference to the interface's counters") {
  const Topology topology;
  // A frame a millisecond, from before the program is attached until a thousand are counted.
  Process sender({SEND_FRAMES, Topology::sender_link, "--rate", "1000", "--count", "1000000"},
                 {.network_namespace = topology.sender()});
  while (!receiver_has_frames(topology)) REQUIRE(sender.running());
  Agent agent(topology, {"--interval", "0.1"});
  LineClient client(default_socket);
  while (client.next_of_type("snapshot").at("frames").at("packets") < 1000)
    REQUIRE(sender.running());
  sender.signal(SIGTERM);
  sender.wait();
  while (client.next_of_type("snapshot").at("frames").at("pps") > 0) {
  }
  const nlohmann::json status = status_of_agent();
  CAPTURE(status.at("nic_difference"));
  CAPTURE(status.at("frames"));
  // One may have been on its way when both were first looked at.
  CHECK(std::abs(status.at("nic_difference").at("packets").get<int>()) <= 1);
}

TEST_CASE("send-frames keeps to its rate within a round of all sources too") {
  const Topology topology;
  Agent agent(topology, {"--interval", "0.1"});
  LineClient client(default_socket);
  Process sender(
      {SEND_FRAMES, Topology::sender_link, "--rate", "100", "--sources", "100", "--count", "1"},
      {.network_namespace = topology.sender()});
  const nlohmann::json snapshot = snapshot_with(client, 100);
  CHECK(sender.wait() == 0);
  std::set<std::string> times;
  for (const nlohmann::json& row : snapshot.at("sources")) times.insert(row.at("first"));
  CHECK(times.size() > 1);
}
