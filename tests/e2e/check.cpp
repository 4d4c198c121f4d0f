// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// --check: what it says is what would happen, and nothing happens.
#include <doctest/doctest.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <vector>

#include "agent_fixture.hpp"
#include "foreign_program.hpp"

using namespace xdp_count::testing;
using nlohmann::json;

namespace {

struct Checked {
  int exit_code;
  json answer;
};

Checked check(const Topology& topology, std::vector<std::string> arguments = {},
              const std::string& interface = Topology::receiver_link) {
  arguments.insert(arguments.end(), {"--check", "--json"});
  const std::uint32_t before = program_on_receiver(topology);
  Agent agent(topology, arguments, {}, interface);
  const int exit_code = agent.wait();
  CHECK(agent.standard_error().empty());
  CHECK(program_on_receiver(topology) == before);
  return {exit_code, json::parse(agent.standard_output())};
}

std::vector<std::string> obstacles_of(const Checked& checked) {
  return checked.answer.at("obstacles").get<std::vector<std::string>>();
}

const json& memory_of(const Checked& checked) {
  return checked.answer.at("memory");
}

}  // namespace

TEST_CASE("--check of a free interface says that counting would begin, in which mode and memory") {
  const Topology topology;
  const Checked checked = check(topology);
  CAPTURE(checked.answer);
  CHECK(checked.exit_code == 0);
  CHECK(checked.answer.at("ok") == true);
  CHECK(checked.answer.at("interface") == "count0");
  CHECK(checked.answer.at("driver") == "veth");
  CHECK(checked.answer.at("programs") == json::array());
  CHECK(checked.answer.at("ours") == nullptr);
  CHECK(memory_of(checked).at("ledger") == (32 << 20) + (256 << 10));
  CHECK(checked.answer.at("obstacles") == json::array());
  CHECK(!std::filesystem::exists("/run/xdp-count"));

  Agent agent(topology, {});
  const json status = status_of_agent();
  CHECK(status.at("mode") == checked.answer.at("mode"));
  // This is the memory as the kernel reports it, with what each map takes besides its values.
  const auto kernel = status.at("memory").at("maps").get<double>();
  CHECK(kernel == doctest::Approx(memory_of(checked).at("maps").get<double>()).epsilon(0.01));
  MESSAGE(::sysconf(_SC_NPROCESSORS_CONF) << " CPUs: " << kernel / (1 << 20) << " MiB of maps");
}

TEST_CASE("--check of a device without native XDP says so, as counting would") {
  const Topology topology;
  ip(topology, {"link", "set", "dev", "lo", "up"});
  const Checked automatic = check(topology, {}, "lo");
  CAPTURE(automatic.answer);
  CHECK(automatic.exit_code == 0);
  if (automatic.answer.at("driver_has_xdp") == nullptr) return;  // kernels before 6.3
  CHECK(automatic.answer.at("driver_has_xdp") == false);
  CHECK(automatic.answer.at("mode") == "generic");
  const Checked native = check(topology, {"-m", "native"}, "lo");
  CHECK(native.exit_code == 1);
  CHECK(native.answer.at("ok") == false);
  CHECK(obstacles_of(native) ==
        std::vector<std::string>{
            "native mode: the driver has no XDP of its own; use --mode generic"});
}

TEST_CASE("--check names an agent that counts, and what one that was killed has left") {
  const Topology topology;
  std::uint32_t id = 0;
  {
    Agent agent(topology, {"--max-sources", "1000"});
    id = status_of_agent().at("program").at("id");
    const Checked counting = check(topology);
    CHECK(counting.exit_code == 1);
    CHECK(counting.answer.at("ours") ==
          json{{"program", id}, {"agent", agent.pid()}, {"fate", nullptr}});
    CHECK(obstacles_of(counting) ==
          std::vector<std::string>{"xdp-count with pid " + std::to_string(agent.pid()) +
                                   " counts there already"});
    send_frames(topology, ipv4_frames(ten_net, 7, 3));
    kill(agent);
  }
  const Checked left = check(topology, {"--max-sources", "1000"});
  CHECK(left.exit_code == 0);
  CHECK(left.answer.at("ours") == json{{"program", id},
                                       {"agent", nullptr},
                                       {"fate", "adopted, with all that it has counted"}});
  const Checked other = check(topology);
  CHECK(other.exit_code == 0);
  CHECK(other.answer.at("ours").at("fate") == "replaced, since it has other settings");

  // Nothing has been lost by all this.
  Agent next(topology, {"--max-sources", "1000", "--interval", "0.1"});
  LineClient client(default_socket);
  CHECK(sources_of(snapshot_with(client, 21)) == expected_sources(ten_net, 7, 3));
}

TEST_CASE("--check names somebody else's program, and how to remove it") {
  const Topology topology;
  const ForeignProgram foreign;
  foreign.attach(topology, false);
  const Checked checked = check(topology);
  CHECK(checked.exit_code == 1);
  CHECK(checked.answer.at("programs") == json::array({{{"id", foreign.id()}, {"mode", "native"}}}));
  CHECK(obstacles_of(checked) ==
        std::vector<std::string>{
            "an XDP program is there already, and may not let another one share the interface: "
            "foreign (id " +
            std::to_string(foreign.id()) +
            ", native). To remove it: ip link set dev count0 xdpdrv off"});
}

TEST_CASE("--check of more memory than there is says how much less to ask for") {
  const Topology topology;
  const Checked checked =
      check(topology, {"--max-sources", "4194304", "--hot-slots", "8388608", "--events"});
  const json& memory = memory_of(checked);
  const std::uint64_t need = memory.at("maps").get<std::uint64_t>() +
                             memory.at("ledger").get<std::uint64_t>() +
                             memory.at("recent").get<std::uint64_t>();
  const bool enough = need <= memory.at("available").get<std::uint64_t>();
  CHECK(checked.exit_code == (enough ? 0 : 1));
  CHECK(checked.answer.at("obstacles").empty() == enough);
}

TEST_CASE("--check for people is a line for each thing, and the last one is the answer") {
  const Topology topology;
  Agent agent(topology, {"--check"});
  CHECK(agent.wait() == 0);
  const std::string text = agent.standard_output();
  CAPTURE(text);
  CHECK(contains(text, "interface  count0 (index "));
  CHECK(contains(text, ", driver veth), MTU 1500, up\n"));
  CHECK(contains(text, "\nprograms   none\n"));
  CHECK(contains(
      text,
      "\nmemory     100.9 MiB of kernel maps, 32.2 MiB of ledger, at most 16.5 MiB for the "
      "last minute and 64.0 MiB for clients; "));
  CHECK(text.ends_with("\nxdp-count would count here\n"));
}

TEST_CASE("--check and --detach exclude each other, and --json is of --check") {
  const Topology topology;
  for (const auto& arguments :
       {std::vector<std::string>{"--check", "--detach"}, std::vector<std::string>{"--json"}}) {
    Agent agent(topology, arguments);
    CHECK(agent.wait() == 2);
  }
}
