// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// What every benchmark shares: clocks, summaries, and one JSON line per result on standard output,
// from which report.py makes tables and pictures.
#pragma once

#include <fmt/core.h>
#include <sched.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <exception>
#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"

namespace xdp_count::bench {

// Nanoseconds of CPU time of this thread, in the kernel and outside: what other processes do
// meanwhile is not in it.
inline double thread_cpu_ns() {
  timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) * 1e9 + static_cast<double>(time.tv_nsec);
}

inline double wall_ns() {
  timespec time{};
  ::clock_gettime(CLOCK_MONOTONIC, &time);
  return static_cast<double>(time.tv_sec) * 1e9 + static_cast<double>(time.tv_nsec);
}

// Keeps this thread on one CPU, and so in one CPU's tables. Throws std::system_error.
inline void stay_on_cpu(std::size_t cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(cpu, &set);
  if (::sched_setaffinity(0, sizeof set, &set) != 0) throw_errno("choosing a CPU");
}

// What repeated measurements of one thing say: machines are noisy, so never a single number.
struct Summary {
  double median = 0;
  double least = 0;
  double most = 0;
};

// `samples` is not empty.
inline Summary summarize(std::vector<double> samples) {
  std::sort(samples.begin(), samples.end());
  return {samples[samples.size() / 2], samples.front(), samples.back()};
}

struct Result {
  std::string bench;    // "packet_cost"
  std::string setting;  // "zipf 1000": what is compared within it ran interleaved in one run
  std::string what;     // "ours"
  std::string unit;     // "ns/packet"
  std::vector<double> samples;
  std::optional<double> ratio = {};  // to what `ratio_to` says
  std::string ratio_to = {};
};

inline void print_result(const Result& result) {
  const Summary summary = summarize(result.samples);
  std::string line = fmt::format(
      R"({{"bench":"{}","setting":"{}","what":"{}","unit":"{}","median":{:.3f},"least":{:.3f},)"
      R"("most":{:.3f})",
      result.bench, result.setting, result.what, result.unit, summary.median, summary.least,
      summary.most);
  if (result.ratio)
    line += fmt::format(R"(,"ratio":{:.3f},"ratio_to":"{}")", *result.ratio, result.ratio_to);
  fmt::print("{}}}\n", line);
}

// The main() of a benchmark that loads BPF programs: runs `work`. The exit code is 77 without root,
// and 1 when `work` throws.
template <class Work>
int run_as_root(const char* name, Work&& work) {
  if (::geteuid() != 0) {
    std::puts("skipped: loading BPF programs needs root");
    return 77;
  }
  try {
    work();
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s: %s\n", name, error.what());
    return 1;
  }
}

}  // namespace xdp_count::bench
