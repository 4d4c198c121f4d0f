// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <thread>

namespace xdp_count {

// Writes texts to a descriptor, in order, on a thread of its own, so that a stopped terminal or a
// full pipe holds up nobody else. That thread may wait for ever: a terminal on which Ctrl-S was
// pressed takes no byte, and no way to ask first is certain, since poll(2) may promise room for
// fewer bytes than are written. O_NONBLOCK is not for us to set: it belongs to the open file, which
// the shell and others share. Methods may be called from any thread.
class BackgroundWriter {
 public:
  // `fd` stays open for as long as the process lives. `most_waiting`: bytes of texts that wait, the
  // one that is being written included; a single text may be longer. `on_failure` is called on the
  // writing thread, and must not wait, when a text could not be written and was dropped.
  BackgroundWriter(int fd, std::size_t most_waiting, std::function<void()> on_failure);

  // Gives what waits half a second to be taken, then drops it. Where the thread is still held up it
  // is left so, and ends with the process.
  ~BackgroundWriter();
  BackgroundWriter(const BackgroundWriter&) = delete;
  BackgroundWriter& operator=(const BackgroundWriter&) = delete;

  // Takes `text`, to be written when its turn comes; false, and nothing done, while there is no
  // room for it.
  bool offer(std::string text);

  // Waits half a second at most for all that was taken to be written; false where it was not, and
  // then the destructor does not wait once more.
  bool drain();

 private:
  struct Shared;  // with the thread, which may outlive this object

  std::shared_ptr<Shared> shared_;
  std::size_t most_waiting_;
  bool held_up_ = false;  // as drain() found
  std::thread thread_;
};

}  // namespace xdp_count
