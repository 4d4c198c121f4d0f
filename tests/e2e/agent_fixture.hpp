// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// A real agent on one end of a veth pair, and what the tests ask of it.
#pragma once

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <ostream>
#include <span>
#include <string>
#include <vector>

#include "line_client.hpp"
#include "packet_builder.hpp"
#include "packet_socket.hpp"
#include "process.hpp"
#include "tested_rows.hpp"
#include "topology.hpp"

namespace xdp_count::testing {

inline constexpr const char* default_socket = "/run/xdp-count/count0.sock";

// 10.0.0.1: the first source of a test, where it does not matter which.
inline constexpr std::uint32_t ten_net = 0x0a000001;

// xdp-count on `interface` of the topology's receiving end, with `arguments` besides, and with what
// tested_by() says.
struct Agent : Process {
  Agent(const Topology& topology, const std::vector<std::string>& arguments,
        ProcessOptions options = {}, const std::string& interface = Topology::receiver_link);
};

// Ends it by SIGTERM, which is to go well.
void stop(Process& process);

// Waits until its standard error has these words.
void wait_for_log(const Process& process, const std::string& words);

// Ends it as a crash would.
void kill(Agent& agent);

// The answer to `status` of the agent that listens at the default place.
nlohmann::json status_of_agent();

// The id of a program that is there because an agent with these arguments was killed.
std::uint32_t leave_program(const Topology& topology, const std::vector<std::string>& arguments);

// Lets both ends take frames with this many bytes behind the Ethernet header.
void set_mtu(const Topology& topology, std::size_t mtu);

// Sends each frame once from the sending end.
void send_frames(const Topology& topology, std::span<const Frame> frames);

// `packets` frames of 60 bytes for each of `sources` sources from number `first` on, round by
// round.
std::vector<Frame> frames_of(Family family, std::uint32_t first, std::uint32_t sources,
                             std::uint32_t packets = 1);
inline std::vector<Frame> ipv4_frames(std::uint32_t first, std::uint32_t sources,
                                      std::uint32_t packets = 1) {
  return frames_of(Family::ipv4, first, sources, packets);
}

// Checks promise 1 on a snapshot: each frame is in one class and, where the line shows all tracked
// sources, each IPv4 packet under a source, evicted or untracked.
void check_conserved(const nlohmann::json& snapshot);

// The first snapshot that has counted `frames` frames; conservation is checked on each one before.
nlohmann::json snapshot_with(LineClient& client, std::uint64_t frames);

// Source -> {packets, bytes}, from an object's "sources"; "source > destination" for pairs, where
// tested_by() does not say that all are to be pairs.
struct Count {
  std::uint64_t packets = 0;
  std::uint64_t bytes = 0;
  friend bool operator==(const Count&, const Count&) = default;
};
std::ostream& operator<<(std::ostream& stream, const Count& count);
std::map<std::string, Count> sources_of(const nlohmann::json& object);
Count count_of(const nlohmann::json& object);

// What frames_of() would lead to.
std::map<std::string, Count> expected_sources(Family family, std::uint32_t first,
                                              std::uint32_t sources, std::uint64_t packets);
inline std::map<std::string, Count> expected_sources(std::uint32_t first, std::uint32_t sources,
                                                     std::uint64_t packets) {
  return expected_sources(Family::ipv4, first, sources, packets);
}

inline bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != text.npos;
}

// Whether the kernel still has a program of this id; waits a moment for it to go, since the kernel
// frees programs some time after their last user has gone.
bool program_is_gone(std::uint32_t id);

// Runs ip(8) in the receiving namespace; a failure ends the test.
void ip(const Topology& topology, std::vector<std::string> arguments);

// The id of the XDP program on the receiving end; 0: there is none.
std::uint32_t program_on_receiver(const Topology& topology);

// Whether that is libxdp's dispatcher, which it is where the kernel loads programs of the type EXT.
bool dispatcher_on_receiver(const Topology& topology);
inline bool receiver_has_program(const Topology& topology) {
  return program_on_receiver(topology) != 0;
}

}  // namespace xdp_count::testing
