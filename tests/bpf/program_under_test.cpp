// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "program_under_test.hpp"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <doctest/doctest.h>
#include <linux/bpf.h>

#include <cstdlib>
#include <map>
#include <memory>
#include <system_error>
#include <utility>

#include "base/error.hpp"
#include "counting/source_identity.hpp"
#include "model/names.hpp"
#include "packet_builder.hpp"
#include "program/table_settings.hpp"

namespace xdp_count {

std::ostream& operator<<(std::ostream& out, const Counts& counts) {
  return out << counts.packets << " packets, " << counts.bytes << " bytes";
}

namespace testing {
namespace {

UniqueFd load(ProgramSettings settings) {
  if (settings.row_kind == RowKind{}) settings.row_kind = tested_rows();
  CountProgram program(settings);
  program.load();
  return duplicate(program.fd());
}

void add(xc_counts& sum, const xc_counts& counts) {
  sum.packets += counts.packets;
  sum.bytes += counts.bytes;
}

// One entry for each source, in the order of their addresses.
std::vector<SourceCounts> merged(const std::vector<SourceCounts>& sources) {
  std::map<RowKey, Counts> sums;
  for (const SourceCounts& source : sources) sums[source.key] += source.counts;
  std::vector<SourceCounts> result;
  for (const auto& [key, counts] : sums) result.push_back({key, counts});
  return result;
}

void add_sources(const SourceTable& table, std::vector<SourceCounts>& sources) {
  for (xc_bucket& bucket : table.buckets)
    for_each_slot(table, bucket, [&](const auto& slot) {
      if (slot.packets != 0) sources.push_back({key_of(slot), {slot.packets, slot.bytes}});
    });
}

}  // namespace

const RowKind& tested_rows() {
  static const RowKind rows = [] {
    const char* name = std::getenv("XDP_COUNT_TESTED_BY");
    RowKind kind;
    if (name) kind.by = count_by_named(name);
    return kind;
  }();
  return rows;
}

std::uint32_t slots_in_bucket(Family family) {
  return slots_in_hot_bucket(family, static_cast<xc_by>(tested_rows().by));
}

ProgramUnderTest::ProgramUnderTest(const ProgramSettings& settings)
    : program_(load(settings)), reader_(program_) {}

ProgramRun ProgramUnderTest::run(const Frame& frame,
                                 std::optional<std::size_t> linear_bytes) const {
  // There is room to spare, so that a frame that grew is noticed.
  ProgramRun result{0, Frame(frame.size() + 256)};
  xdp_md context{};
  bpf_test_run_opts options{};
  options.sz = sizeof options;
  options.data_in = frame.data();
  options.data_size_in = static_cast<__u32>(frame.size());
  options.data_out = result.frame.data();
  options.data_size_out = static_cast<__u32>(result.frame.size());
  options.repeat = 1;
  if (linear_bytes) {
    context.data_end = static_cast<__u32>(*linear_bytes);
    options.ctx_in = &context;
    options.ctx_size_in = sizeof context;
  }
  if (const int error = bpf_prog_test_run_opts(program_.fd(), &options); error != 0)
    throw_system_error(-error, "running the XDP program");
  result.action = options.retval;
  result.frame.resize(options.data_size_out);
  return result;
}

void ProgramUnderTest::run_repeatedly(const Frame& frame, std::uint32_t times) const {
  bpf_test_run_opts options{};
  options.sz = sizeof options;
  options.data_in = frame.data();
  options.data_size_in = static_cast<__u32>(frame.size());
  options.repeat = static_cast<int>(times);
  if (const int error = bpf_prog_test_run_opts(program_.fd(), &options); error != 0)
    throw_system_error(-error, "running the XDP program repeatedly");
}

bool ProgramUnderTest::kernel_takes_linear_bytes() const {
  // The probe is a program of its own, so that what it counts is in nobody's way.
  static const bool result = [] {
    const ProgramUnderTest probe({});
    try {
      probe.run(PacketBuilder().ipv4().udp(1, 2).build(), 14);
    } catch (const std::system_error& error) {
      if (error.code().value() != EINVAL) throw;
      return false;
    }
    return true;
  }();
  return result;
}

GenerationCounts ProgramUnderTest::take_counts() {
  const unsigned generation = reader_.swap().generation;
  const Totals now = reader_.totals(generation);
  const Totals before = std::exchange(taken_[generation], now);
  GenerationCounts counts;
  counts.frames = now.frames - before.frames;
  for (std::size_t i = 0; i < frame_classes; ++i)
    counts.classes[i] = now.classes[i] - before.classes[i];
  counts.untracked = now.untracked - before.untracked;

  // A ledger with room for all of them, to see what comes out.
  const std::size_t room = sources(generation).size() + 1;
  std::vector<LedgerEntry> slots(Ledger::slots_for(room));
  LedgerState state;
  std::vector<LedgerPeer> peers(slots.size());
  Ledger ledger(slots, state, room, {}, peers);
  ledger.begin_tick(1, 0);
  reader_.drain(generation, ledger);
  ledger.for_each([&](const LedgerEntry& entry) {
    counts.sources.push_back({ledger.key_of(entry), entry.total});
  });
  counts.sources = merged(counts.sources);
  return counts;
}

xc_totals ProgramUnderTest::totals(std::uint32_t generation) const {
  xc_totals sum{};
  for (const CpuCounts& cpu : program_.cpu_counts(generation)) {
    add(sum.frames, cpu.totals.frames);
    for (std::size_t i = 0; i < XC_CLASSES; ++i) add(sum.classes[i], cpu.totals.classes[i]);
    for (std::size_t i = 0; i < families; ++i) add(sum.untracked[i], cpu.totals.untracked[i]);
  }
  return sum;
}

std::vector<SourceCounts> ProgramUnderTest::sources(std::uint32_t generation) const {
  std::vector<SourceCounts> result = spilled(generation);
  for (const CpuCounts& cpu : program_.cpu_counts(generation))
    for (const SourceTable& table : cpu.hot.values) add_sources(table, result);
  return merged(result);
}

std::vector<SourceCounts> ProgramUnderTest::spilled(std::uint32_t generation) const {
  std::vector<SourceCounts> result;
  add_sources(program_.spill(generation).table, result);
  return result;
}

ProgramUnderTest& shared_program(bool has_ethernet_header, bool may_name_kernel) {
  static std::map<std::pair<bool, bool>, std::unique_ptr<ProgramUnderTest>> programs;
  auto& program = programs[{has_ethernet_header, may_name_kernel}];
  if (!program)
    program = std::make_unique<ProgramUnderTest>(
        ProgramSettings{.has_ethernet_header = has_ethernet_header,
                        .max_sources = 16,
                        .may_name_kernel = may_name_kernel});
  return *program;
}

void check_conservation(const GenerationCounts& counts) {
  Counts classes;
  for (const Counts& one : counts.classes) classes += one;
  CHECK(classes == counts.frames);
  PerFamily<Counts> sources = counts.untracked;
  for (const SourceCounts& source : counts.sources)
    sources.of(source.key.family()) += source.counts;
  for (const Family family : both_families)
    CHECK(sources.of(family) == counts_of(counts, class_of(family)));
}

const Counts& counts_of(const GenerationCounts& counts, FrameClass frame_class) {
  return counts.classes[static_cast<std::size_t>(frame_class)];
}

}  // namespace testing
}  // namespace xdp_count
