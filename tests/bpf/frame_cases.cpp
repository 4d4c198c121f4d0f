// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "frame_cases.hpp"

#include <doctest/doctest.h>
#include <linux/bpf.h>

#include <array>

#include "skip.hpp"

namespace xdp_count::testing {

namespace {

void check_frames_with(bool may_name_kernel, const std::vector<FrameCase>& cases) {
  INFO("may name the kernel's types: " << may_name_kernel);
  std::size_t skipped = 0;
  for (const FrameCase& frame_case : cases) {
    INFO(frame_case.description);
    ProgramUnderTest& program = shared_program(frame_case.has_ethernet_header, may_name_kernel);
    if (frame_case.linear_bytes && !program.kernel_takes_linear_bytes()) {
      ++skipped;
      continue;
    }
    const ProgramRun run = program.run(frame_case.frame, frame_case.linear_bytes);
    CHECK(run.action == XDP_PASS);
    CHECK_MESSAGE(run.frame == frame_case.frame, "the frame was changed");
    check_counts(program.take_counts(), frame_case);
  }
  if (skipped > 0)
    skip(std::to_string(skipped) + " of " + std::to_string(cases.size()) +
         " frames: " + kernel_ignores_linear_bytes);

  // A count in the generation that was not active would only show now.
  for (const bool has_ethernet_header : {true, false}) {
    const GenerationCounts rest =
        shared_program(has_ethernet_header, may_name_kernel).take_counts();
    CHECK(rest.frames == Counts{});
    CHECK(rest.sources.empty());
  }
}

}  // namespace

void check_frames(const std::vector<FrameCase>& cases) {
  for (const bool may_name_kernel : {true, false}) check_frames_with(may_name_kernel, cases);
}

void check_counts(const GenerationCounts& counts, const FrameCase& frame_case,
                  std::uint64_t times) {
  const Counts expected{times, times * frame_case.frame.size()};
  CHECK(counts.frames == expected);
  for (std::size_t i = 0; i < frame_classes; ++i) {
    const auto frame_class = static_cast<FrameClass>(i);
    INFO("class " << class_name(frame_class));
    CHECK(counts.classes[i] == (frame_class == frame_case.expected ? expected : Counts{}));
  }
  CHECK(counts.untracked.sum() == Counts{});

  if (frame_case.expected != FrameClass::ipv4 && frame_case.expected != FrameClass::ipv6) {
    CHECK(counts.sources.empty());
    return;
  }
  const Address usual = frame_case.expected == FrameClass::ipv4
                            ? Address(Ipv4Fields{}.source)
                            : Address::ipv6(Ipv6Fields{}.source);
  CHECK(counts.sources.size() == 1);
  if (counts.sources.empty()) return;
  CHECK(counts.sources[0].key == frame_case.expected_source.value_or(usual));
  CHECK(counts.sources[0].counts == expected);
}

const char* class_name(FrameClass frame_class) {
  constexpr std::array names = {"ipv4", "ipv6", "arp", "other", "malformed"};
  static_assert(names.size() == frame_classes);
  return names.at(static_cast<std::size_t>(frame_class));
}

}  // namespace xdp_count::testing
