// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once

#include <sys/stat.h>
#include <sys/types.h>

#include <optional>
#include <string>

#include "unique_fd.hpp"

namespace xdp_count {

// A Unix stream socket's place in the file system, with a lock file beside it (PATH.lock) that
// keeps every other agent away from it.
class SocketFile {
 public:
  // Locks, removes a socket that nobody listens on any more, and binds with mode 0660 and, where
  // `group` is not empty, that group. Nobody can connect before listen(2). What is no socket, or is
  // served by somebody else, is never touched. Makes the default directory, mode 0750, when it is
  // missing, and gives it to `group` too where nothing else is in it.
  // Throws std::system_error or std::runtime_error.
  SocketFile(std::string path, const std::string& group);

  // Removes the socket, when it is still ours that is there, and the lock.
  ~SocketFile();
  SocketFile(const SocketFile&) = delete;
  SocketFile& operator=(const SocketFile&) = delete;

  // Hands over the bound socket.
  UniqueFd take_socket() noexcept { return std::move(socket_); }

 private:
  void lock();
  void remove_stale_socket() const;
  void bind_socket(std::optional<gid_t> group);
  void remove_socket() const noexcept;

  std::string path_;
  std::string lock_path_;
  UniqueFd lock_;
  UniqueFd socket_;
  struct stat bound_ {};  // what we bound, in the file system
};

}  // namespace xdp_count
