// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once

#include <sys/stat.h>
#include <sys/types.h>

#include <functional>
#include <optional>
#include <string>

#include "base/unique_fd.hpp"

namespace xdp_count {

// A Unix stream socket's place in the file system, with a lock file beside it (PATH.lock) that
// keeps every other agent away from it. The directory may belong to another user, who may change
// its content at any moment: it is looked up once, and nothing in it is followed or given away.
class SocketFile {
 public:
  // Locks, removes a socket that nobody listens on any more, and binds one with mode 0660 and,
  // where `group` is not empty, that group. It is not in its place yet, but in a directory of our
  // own beside it (PATH.new). What is no socket, or is served by somebody else, is never touched.
  // Makes the default directory, mode 0750, when it is missing, and gives it to `group` too where
  // nothing else is in it. Throws std::system_error or std::runtime_error.
  SocketFile(std::string path, const std::string& group);

  // Removes the socket, when it is still ours that is there, and the lock.
  ~SocketFile();
  SocketFile(const SocketFile&) = delete;
  SocketFile& operator=(const SocketFile&) = delete;

  // Hands over the bound socket.
  UniqueFd take_socket() noexcept { return std::move(socket_); }

  // Puts the socket in its place, where it is found: to be called once somebody listens on it.
  // Throws std::system_error, and std::runtime_error when something else has come there.
  void show();

  // Has `remove` remove the files, for a process that is about to lose the right to: it calls
  // remove_files() in another process that was given directory(), and may throw.
  void remove_by(std::function<void()> remove) { remove_ = std::move(remove); }
  void remove_files() const;  // throws std::system_error
  int directory() const { return directory_.get(); }

 private:
  void open_directory(const std::string& group);
  void lock();
  void remove_stale_socket() const;
  void bind_socket();
  void remove_hidden() noexcept;

  std::string path_;
  std::string directory_path_;
  std::string name_;  // of the socket in the directory, as are the other two
  std::string lock_name_;
  std::string hidden_name_;
  std::optional<gid_t> group_;
  UniqueFd directory_;  // O_PATH
  UniqueFd lock_;
  UniqueFd hidden_;  // O_PATH, our own directory, until the socket is shown
  UniqueFd socket_;
  struct stat bound_ {};  // what we bound, in the file system
  std::function<void()> remove_ = [this] { remove_files(); };
};

}  // namespace xdp_count
