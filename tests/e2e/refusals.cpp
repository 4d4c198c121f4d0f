// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <doctest/doctest.h>
#include <sys/mount.h>

#include <fstream>

#include "agent_fixture.hpp"
#include "host/host_requirements.hpp"

using namespace xdp_count::testing;

namespace {

// While it lives the kernel seems to be a real-time one, to this process and its children.
class RealtimeKernel {
 public:
  RealtimeKernel() {
    REQUIRE(::mount("tmpfs", "/sys/kernel", "tmpfs", 0, nullptr) == 0);
    std::ofstream("/sys/kernel/realtime") << "1\n";
  }
  ~RealtimeKernel() { ::umount2("/sys/kernel", MNT_DETACH); }
  RealtimeKernel(const RealtimeKernel&) = delete;
  RealtimeKernel& operator=(const RealtimeKernel&) = delete;
};

}  // namespace

TEST_CASE("an unknown interface is refused with a list of those there are") {
  const Topology topology;
  Agent agent(topology, {}, {}, "nonesuch");
  CHECK(agent.wait() == 1);
  CHECK(contains(agent.standard_error(), "there is no interface nonesuch; there are: lo, count0"));
}

TEST_CASE("without root and capabilities the missing ones are named") {
  const Topology topology;
  Agent agent(topology, {}, {.uid = nobody});
  CHECK(agent.wait() == 1);
  CHECK(contains(agent.standard_error(), "CAP_BPF, CAP_PERFMON, CAP_NET_ADMIN"));
  CHECK(!receiver_has_program(topology));
}

TEST_CASE("a real-time kernel where two program runs may share a CPU is refused") {
  CHECK(xdp_count::runs_exclude_each_other(false, "6.18.0"));
  CHECK(xdp_count::runs_exclude_each_other(false, "7.1-rc1"));
  CHECK(xdp_count::runs_exclude_each_other(true, "6.17.9-rt7"));
  CHECK(xdp_count::runs_exclude_each_other(true, "5.19.0"));
  CHECK(!xdp_count::runs_exclude_each_other(true, "6.18.0-rt1"));
  CHECK(!xdp_count::runs_exclude_each_other(true, "7.0.1"));

  const Topology topology;
  const RealtimeKernel realtime;
  Agent agent(topology, {"--interval", "0.1"});
  if (xdp_count::runs_exclude_each_other(true, xdp_count::kernel_release())) {
    status_of_agent();
    return;
  }
  CHECK(agent.wait() == 1);
  CHECK(agent.standard_error() ==
        "xdp-count: error: this kernel (" + xdp_count::kernel_release() +
            ") lacks: one run of an XDP program at a time on each CPU: it is a real-time kernel "
            "(/sys/kernel/realtime) of 6.18 or newer, where packets could be lost from counts\n");
  CHECK(!receiver_has_program(topology));
}

TEST_CASE("a wrong command line is exit code 2") {
  const Topology topology;
  Agent agent(topology, {"--interval", "0"});
  CHECK(agent.wait() == 2);
  CHECK(contains(agent.standard_error(), "--interval"));
  CHECK(!receiver_has_program(topology));
}

TEST_CASE("without /sys the help is still true, and counting is refused with the reason") {
  const Topology topology;
  const auto without_sys = [](const std::string& arguments) {
    return std::vector<std::string>{
        "/usr/bin/env", "unshare", "--mount",
        "/bin/sh",      "-c",      "umount -l /sys && exec " AGENT " " + arguments};
  };
  Process help(without_sys("--help"));
  CHECK(help.wait() == 0);
  CHECK(contains(help.standard_output(), "kernel tables and 32 MiB of ledger here"));
  CHECK(contains(help.standard_output(), " /sys]"));
  CHECK(help.standard_error() == "");
  Process agent(without_sys(Topology::receiver_link), {.network_namespace = topology.receiver()});
  CHECK(agent.wait() == 1);
  CHECK(
      agent.standard_error() ==
      "xdp-count: error: reading from /sys/devices/system/cpu/possible how many CPUs there may be "
      "(mount sysfs at /sys): No such file or directory\n");
  CHECK(!receiver_has_program(topology));
}

TEST_CASE("where native mode fails, auto falls back to generic and says why") {
  const Topology topology;
  // The loopback device has no native XDP.
  Process ip({"/sbin/ip", "link", "set", "dev", "lo", "up"},
             {.network_namespace = topology.receiver()});
  REQUIRE(ip.wait() == 0);
  Agent agent(topology, {"--interval", "0.1"}, {}, "lo");
  LineClient client("/run/xdp-count/lo.sock");
  const auto status = client.answer_to({{"cmd", "status"}});
  CHECK(status.at("mode") == "generic");
  CHECK(contains(status.at("mode_reason"), "native mode failed: "));
  CHECK(contains(status.at("mode_reason"), "native mode"));
  CHECK(contains(agent.standard_error(), status.at("mode_reason")));

  Agent native(topology, {"-m", "native", "-s", "/run/native.sock"}, {}, "lo");
  CHECK(native.wait() == 1);
}
