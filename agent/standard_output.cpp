// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "standard_output.hpp"

#include <limits.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <cerrno>
#include <utility>

#include "privileges.hpp"

namespace xdp_count {
namespace {

constexpr int poll_step_ms = 100;  // how soon the thread notices that it is to stop

}  // namespace

StandardOutput::StandardOutput(std::function<void()> on_closed) : on_closed_(std::move(on_closed)) {
  boost::asio::post(thread_, [] { keep_capabilities(0); });
}

StandardOutput::~StandardOutput() {
  stopping_ = true;
  thread_.join();
}

bool StandardOutput::offer(std::string text) {
  if (busy_.exchange(true)) return false;
  boost::asio::post(thread_, [this, text = std::move(text)] {
    write_all(text);
    busy_ = false;
  });
  return true;
}

void StandardOutput::write_all(const std::string& text) {
  // Not O_NONBLOCK: that would change the descriptor for the shell too, which shares it. A pipe or
  // terminal that poll(2) calls writable takes PIPE_BUF bytes without blocking.
  std::size_t done = 0;
  int patience = 5;  // steps, once it is to stop
  while (done < text.size() && !closed_) {
    pollfd writable{STDOUT_FILENO, POLLOUT, 0};
    const int ready = ::poll(&writable, 1, poll_step_ms);
    if (ready == 0 && stopping_ && --patience == 0) return;
    if (ready <= 0) continue;
    const std::size_t size = std::min<std::size_t>(text.size() - done, PIPE_BUF);
    const ssize_t written = ::write(STDOUT_FILENO, text.data() + done, size);
    if (written > 0) {
      done += static_cast<std::size_t>(written);
    } else if (errno != EINTR && errno != EAGAIN) {
      closed_ = true;
      on_closed_();
    }
  }
}

}  // namespace xdp_count
