// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once

namespace xdp_count {

// The exit codes that docs/operating.md and --help list.
enum ExitCode {
  exit_stopped = 0,
  exit_failure = 1,
  exit_usage = 2,
  exit_interface_gone = 3,
  exit_program_gone = 4
};

}  // namespace xdp_count
