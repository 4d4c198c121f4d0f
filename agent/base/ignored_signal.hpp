// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once

#include <csignal>

namespace xdp_count {

// Whether this process ignores `signal`, which it may do since before it was started: nohup(1) sees
// to that for SIGHUP, a shell without job control for the SIGINT of what runs in the background.
// Whoever did that wants it to stay so.
inline bool is_ignored(int signal) noexcept {
  struct sigaction now {};
  return ::sigaction(signal, nullptr, &now) == 0 && now.sa_handler == SIG_IGN;
}

}  // namespace xdp_count
