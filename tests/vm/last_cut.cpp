// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Nothing is read after the last cut, so a run that began before it must be in it.
#include <doctest/doctest.h>

#include <chrono>
#include <future>

#include "held_runs.hpp"
#include "packet_builder.hpp"
#include "program/count_program.hpp"
#include "program/counting.hpp"
#include "program_under_test.hpp"

namespace xdp_count::testing {
namespace {

using namespace std::chrono_literals;

bool is_ready(const auto& future, std::chrono::milliseconds within) {
  return future.wait_for(within) == std::future_status::ready;
}

}  // namespace

TEST_CASE("a run that has not yet read the generation is in the last cut") {
  ProgramUnderTest program({.max_sources = 16});
  Counting counting(program.program(), {.interface = "test0"}, {});
  const Frame frame = PacketBuilder().ipv4({.source = 0x0a000001}).udp(1234, 53).build();

  HeldRuns held(program.program().fd(), CountProgram::name());
  auto run = std::async(std::launch::async, [&] { program.run(frame); });
  held.wait_for_one();
  auto cut = std::async(std::launch::async, [&] { return counting.last_cut(); });
  // A cut that does not wait first has swapped the generations by now, and waits behind that.
  CHECK(!is_ready(cut, 200ms));
  held.let_go();
  run.get();
  counting.fold(cut.get(), {});
  CHECK(counting.tally().head().frames.counts == Counts{1, frame.size()});
}

}  // namespace xdp_count::testing
