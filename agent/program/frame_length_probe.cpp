// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "program/frame_length_probe.hpp"

#include <bpf/libbpf.h>

#include <memory>

#include "base/log.hpp"
#include "program/library_log.hpp"

// Generated C.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wold-style-cast"
#include "frame_length_probe.skel.h"
#pragma GCC diagnostic pop

namespace xdp_count {
namespace {

struct Destroy {
  void operator()(frame_length_probe_bpf* probe) const { frame_length_probe_bpf__destroy(probe); }
};

bool probe_loads() {
  // What goes wrong here is no part of an attempt to attach.
  const LibraryMessages messages;
  const std::unique_ptr<frame_length_probe_bpf, Destroy> probe(
      frame_length_probe_bpf__open_and_load());
  if (probe) return true;
  log::debug("the program asks the kernel for the length of each frame, which costs time: {}",
             messages.warnings());
  return false;
}

}  // namespace

bool programs_may_name_kernel() {
  static const bool result = probe_loads();
  return result;
}

}  // namespace xdp_count
