// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "agent_fixture.hpp"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <doctest/doctest.h>
#include <linux/bpf.h>
#include <net/if.h>

#include <chrono>
#include <csignal>
#include <string_view>
#include <thread>
#include <utility>

namespace xdp_count::testing {
namespace {

constexpr std::size_t frame_bytes = 60;

std::vector<std::string> command_line(const std::vector<std::string>& arguments,
                                      const std::string& interface) {
  std::vector<std::string> command{AGENT, interface};
  if (tested_by() == CountBy::destination) command.insert(command.end(), {"--by", "destination"});
  if (tested_by() == CountBy::pair) command.insert(command.end(), {"--by", "pair"});
  command.insert(command.end(), arguments.begin(), arguments.end());
  return command;
}

ProcessOptions in_receiver(ProcessOptions options, const Topology& topology) {
  options.network_namespace = topology.receiver();
  return options;
}

}  // namespace

Agent::Agent(const Topology& topology, const std::vector<std::string>& arguments,
             ProcessOptions options, const std::string& interface)
    : Process(command_line(arguments, interface), in_receiver(std::move(options), topology)) {}

void stop(Process& process) {
  process.signal(SIGTERM);
  CHECK(process.wait() == 0);
}

void wait_for_log(const Process& process, const std::string& words) {
  constexpr std::chrono::seconds patience{20};
  const auto end = std::chrono::steady_clock::now() + patience;
  while (!contains(process.standard_error(), words)) {
    REQUIRE_MESSAGE(std::chrono::steady_clock::now() < end, process.standard_error());
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}

void kill(Agent& agent) {
  agent.signal(SIGKILL);
  REQUIRE(agent.wait() == 128 + SIGKILL);
}

nlohmann::json status_of_agent() {
  return LineClient(default_socket).answer_to({{"cmd", "status"}});
}

std::uint32_t leave_program(const Topology& topology, const std::vector<std::string>& arguments) {
  Agent agent(topology, arguments);
  const std::uint32_t id = status_of_agent().at("program").at("id");
  kill(agent);
  return id;
}

void set_mtu(const Topology& topology, std::size_t mtu) {
  for (const auto& [network, link] : {std::pair{topology.sender(), Topology::sender_link},
                                      std::pair{topology.receiver(), Topology::receiver_link}}) {
    Process ip({"/sbin/ip", "link", "set", "dev", link, "mtu", std::to_string(mtu)},
               {.network_namespace = network});
    REQUIRE(ip.wait() == 0);
  }
}

void send_frames(const Topology& topology, std::span<const Frame> frames) {
  in_network_namespace(topology.sender(),
                       [&] { PacketSocket(Topology::sender_link).send(frames); });
}

std::vector<Frame> frames_of(Family family, std::uint32_t first, std::uint32_t sources,
                             std::uint32_t packets) {
  // 60 bytes of IPv6 have no room for a UDP header.
  const auto frame_from = [&](std::uint32_t source) {
    PacketBuilder packet = packet_from(source, family);
    if (family == Family::ipv4) packet.udp(1024, 9);
    return packet.frame_length(frame_bytes).build();
  };
  std::vector<Frame> frames;
  for (std::uint32_t i = 0; i < packets; ++i)
    for (std::uint32_t source = first; source < first + sources; ++source)
      frames.push_back(frame_from(source));
  return frames;
}

void check_conserved(const nlohmann::json& snapshot) {
  Count classes;
  for (const auto& value : snapshot.at("classes")) {
    classes.packets += count_of(value).packets;
    classes.bytes += count_of(value).bytes;
  }
  CHECK(classes == count_of(snapshot.at("frames")));
  if (snapshot.at("shown") != snapshot.at("tracked")) return;
  for (const char* family : {"ipv4", "ipv6"}) {
    CAPTURE(family);
    Count packets = count_of(snapshot.at("evicted").at(family));
    const auto add = [&](const Count& count) {
      packets.packets += count.packets;
      packets.bytes += count.bytes;
    };
    add(count_of(snapshot.at("untracked").at(family)));
    for (const auto& [source, count] : sources_of(snapshot))
      if ((source.find(':') != source.npos) == (family == std::string("ipv6"))) add(count);
    CHECK(packets == count_of(snapshot.at("classes").at(family)));
  }
}

nlohmann::json snapshot_with(LineClient& client, std::uint64_t frames) {
  for (;;) {
    auto snapshot = client.next_of_type("snapshot");
    check_conserved(snapshot);
    if (snapshot.at("frames").at("packets") >= frames) return snapshot;
  }
}

std::ostream& operator<<(std::ostream& stream, const Count& count) {
  return stream << count.packets << " packets, " << count.bytes << " bytes";
}

std::map<std::string, Count> sources_of(const nlohmann::json& object) {
  std::map<std::string, Count> sources;
  for (const auto& row : object.at("sources")) {
    const std::string source = row.value("src", ""), destination = row.value("dst", "");
    const char* between = source.empty() || destination.empty() ? "" : " > ";
    const bool any = tested_by() == CountBy::source;
    sources[any ? source + between + destination : source_of(row)] = count_of(row);
  }
  return sources;
}

Count count_of(const nlohmann::json& object) {
  return {object.at("packets").get<std::uint64_t>(), object.at("bytes").get<std::uint64_t>()};
}

std::map<std::string, Count> expected_sources(Family family, std::uint32_t first,
                                              std::uint32_t sources, std::uint64_t packets) {
  std::map<std::string, Count> expected;
  for (std::uint32_t source = first; source < first + sources; ++source)
    expected[source_text(source, family)] = {packets, packets * frame_bytes};
  return expected;
}

bool program_is_gone(std::uint32_t id) {
  for (int tries = 0; tries < 400; ++tries) {
    const UniqueFd program(bpf_prog_get_fd_by_id(id));
    if (!program) return errno == ENOENT;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return false;
}

void ip(const Topology& topology, std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "/sbin/ip");
  Process process(arguments, {.network_namespace = topology.receiver()});
  const int code = process.wait();
  INFO(process.standard_error());
  REQUIRE(code == 0);
}

std::uint32_t program_on_receiver(const Topology& topology) {
  __u32 id = 0;
  in_network_namespace(topology.receiver(), [&] {
    const auto index = static_cast<int>(::if_nametoindex(Topology::receiver_link));
    REQUIRE(bpf_xdp_query_id(index, 0, &id) == 0);
  });
  return id;
}

bool dispatcher_on_receiver(const Topology& topology) {
  const UniqueFd program(bpf_prog_get_fd_by_id(program_on_receiver(topology)));
  bpf_prog_info info{};
  __u32 size = sizeof info;
  return program && bpf_obj_get_info_by_fd(program.get(), &info, &size) == 0 &&
         std::string_view(info.name) == "xdp_dispatcher";
}

}  // namespace xdp_count::testing
