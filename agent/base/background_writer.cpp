// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "base/background_writer.hpp"

#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <utility>

#include "base/privileges.hpp"

namespace xdp_count {
namespace {

constexpr std::chrono::milliseconds patience{500};

bool write_all(int fd, const std::string& text) {
  for (std::size_t done = 0; done < text.size();) {
    const ssize_t written = ::write(fd, text.data() + done, text.size() - done);
    if (written >= 0) {
      done += static_cast<std::size_t>(written);
    } else if (errno == EAGAIN) {
      // Somebody who shares it has set O_NONBLOCK.
      pollfd writable{fd, POLLOUT, 0};
      ::poll(&writable, 1, -1);
    } else if (errno != EINTR) {
      return false;
    }
  }
  return true;
}

}  // namespace

struct BackgroundWriter::Shared {
  std::mutex mutex;
  std::condition_variable changed;
  std::deque<std::string> texts;  // the first one is being written
  std::size_t bytes = 0;          // of all of them
  bool ending = false;
  std::function<void()> on_failure;

  bool wait_until_written(std::unique_lock<std::mutex>& lock) {
    return changed.wait_for(lock, patience, [&] { return texts.empty(); });
  }

  void write_texts(int fd) {
    std::unique_lock lock(mutex);
    for (;;) {
      changed.wait(lock, [&] { return ending || !texts.empty(); });
      if (texts.empty()) return;
      const std::string& text = texts.front();
      lock.unlock();
      const bool written = write_all(fd, text);
      lock.lock();
      if (!written && on_failure) on_failure();
      bytes -= text.size();
      texts.pop_front();
      changed.notify_all();
    }
  }
};

BackgroundWriter::BackgroundWriter(int fd, std::size_t most_waiting,
                                   std::function<void()> on_failure)
    : shared_(std::make_shared<Shared>()), most_waiting_(most_waiting) {
  shared_->on_failure = std::move(on_failure);
  thread_ = std::thread([shared = shared_, fd] {
    keep_capabilities(0);
    shared->write_texts(fd);
  });
}

BackgroundWriter::~BackgroundWriter() {
  std::unique_lock lock(shared_->mutex);
  shared_->ending = true;
  shared_->changed.notify_all();
  const bool done = held_up_ ? shared_->texts.empty() : shared_->wait_until_written(lock);
  shared_->on_failure = nullptr;  // it refers to what may be gone by then
  if (!done) shared_->texts.resize(1);
  lock.unlock();
  if (done)
    thread_.join();
  else
    thread_.detach();
}

bool BackgroundWriter::offer(std::string text) {
  const std::lock_guard lock(shared_->mutex);
  if (!shared_->texts.empty() && shared_->bytes + text.size() > most_waiting_) return false;
  shared_->bytes += text.size();
  shared_->texts.push_back(std::move(text));
  shared_->changed.notify_all();
  return true;
}

bool BackgroundWriter::drain() {
  std::unique_lock lock(shared_->mutex);
  held_up_ = !shared_->wait_until_written(lock);
  return !held_up_;
}

}  // namespace xdp_count
