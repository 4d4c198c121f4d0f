// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// What is left of agents that have ended: nothing.
#include <bpf/bpf.h>
#include <doctest/doctest.h>
#include <linux/bpf.h>

#include <atomic>
#include <filesystem>
#include <set>
#include <thread>
#include <vector>

#include "agent_fixture.hpp"

using namespace xdp_count::testing;

namespace {

// The ids of the maps that a program uses.
std::vector<std::uint32_t> maps_of(std::uint32_t program) {
  const xdp_count::UniqueFd fd(bpf_prog_get_fd_by_id(program));
  REQUIRE(fd);
  std::vector<std::uint32_t> maps(64);
  bpf_prog_info info{};
  __u32 size = sizeof info;
  info.nr_map_ids = static_cast<__u32>(maps.size());
  info.map_ids = reinterpret_cast<__u64>(maps.data());
  REQUIRE(bpf_obj_get_info_by_fd(fd.get(), &info, &size) == 0);
  maps.resize(info.nr_map_ids);
  return maps;
}

// The same as program_is_gone(), for a map.
bool map_is_gone(std::uint32_t id) {
  for (int tries = 0; tries < 400; ++tries) {
    const xdp_count::UniqueFd map(bpf_map_get_fd_by_id(id));
    if (!map) return errno == ENOENT;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return false;
}

std::ptrdiff_t open_descriptors(pid_t process) {
  const std::filesystem::directory_iterator all("/proc/" + std::to_string(process) + "/fd");
  return std::distance(begin(all), end(all));
}

}  // namespace

TEST_CASE_TEMPLATE("SIGTERM at any moment of the start leaves nothing behind", Mode, Native,
                   Generic) {
  const Topology topology;
  // The delays are from before the agent's first instruction to when it counts.
  for (int delay = 0; delay <= 200; delay += 7) {
    CAPTURE(delay);
    Agent agent(topology, {"-m", Mode::name, "--max-sources", "1000", "--hot-slots", "8"});
    std::this_thread::sleep_for(std::chrono::milliseconds(delay));
    agent.signal(SIGTERM);
    const int code = agent.wait();
    // Before it has taken anything the signal may just kill it.
    const bool clean_or_killed = code == 0 || code == 128 + SIGTERM;
    CHECK(clean_or_killed);
    CHECK(program_on_receiver(topology) == 0);
    const bool empty =
        !std::filesystem::exists("/run/xdp-count") || std::filesystem::is_empty("/run/xdp-count");
    CHECK(empty);
  }
}

TEST_CASE("200 agents one after another, under traffic, leave no program or map behind") {
  const Topology topology;
  std::atomic<bool> done{false};
  std::thread traffic([&] {
    const std::vector<Frame> frames = ipv4_frames(ten_net, 100);
    while (!done) {
      send_frames(topology, frames);
      std::this_thread::sleep_for(std::chrono::milliseconds(1));  // leaves the agents some time
    }
  });
  struct Finish {
    std::atomic<bool>& done;
    std::thread& thread;
    ~Finish() {
      done = true;
      thread.join();
    }
  } finish{done, traffic};

  std::set<std::uint32_t> programs, maps;
  for (int i = 0; i < 200; ++i) {
    CAPTURE(i);
    // The tables are small: it is not the kernel's allocator that is tested.
    Agent agent(topology, {"-m", i % 2 == 0 ? "native" : "generic", "--interval", "0.1",
                           "--max-sources", "1000", "--hot-slots", "8"});
    INFO(agent.standard_error());
    // The client goes first: an agent that ends waits a moment for those it has.
    const auto status = LineClient(default_socket).answer_to({{"cmd", "status"}});
    const std::uint32_t program = status.at("program").at("id");
    programs.insert(program);
    for (const std::uint32_t map : maps_of(program)) maps.insert(map);
    agent.signal(SIGTERM);
    REQUIRE(agent.wait() == 0);
    REQUIRE(program_on_receiver(topology) == 0);
  }
  CHECK(programs.size() == 200);
  for (const std::uint32_t id : programs) CHECK(program_is_gone(id));
  CHECK(maps.size() == 200 * 10);  // ten that xdp/ names, .rodata and .bss among them
  for (const std::uint32_t id : maps) CHECK(map_is_gone(id));
  CHECK(std::filesystem::is_empty("/run/xdp-count"));
}

TEST_CASE("an agent has as many descriptors after thirty ticks as after the first") {
  const Topology topology;
  Agent agent(topology, {"--interval", "0.1"});
  LineClient client(default_socket);
  client.next_of_type("snapshot");
  // A tick has descriptors of its own for a moment: rtnetlink is asked through a new socket.
  const auto fewest = [&] {
    std::ptrdiff_t found = open_descriptors(agent.pid());
    for (int i = 0; i < 50; ++i) found = std::min(found, open_descriptors(agent.pid()));
    return found;
  };
  const std::ptrdiff_t before = fewest();
  while (client.next_of_type("snapshot").at("seq") < 30) {
  }
  CHECK(fewest() == before);
}
