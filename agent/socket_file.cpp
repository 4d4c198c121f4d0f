// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "socket_file.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <grp.h>
#include <sys/file.h>
#include <sys/socket.h>

#include <cstring>
#include <filesystem>
#include <optional>
#include <stdexcept>
#include <utility>

#include "error.hpp"
#include "options.hpp"
#include "unix_socket.hpp"

namespace xdp_count {
namespace {

// The default directory is only for those who may connect; the socket itself has no execute bit.
constexpr mode_t directory_mode = 0750;
constexpr int socket_type = SOCK_STREAM | SOCK_NONBLOCK;
constexpr mode_t umask_for_socket = 0117;  // leaves 0660

std::optional<gid_t> group_id(const std::string& name) {
  if (name.empty()) return std::nullopt;
  const group* entry = ::getgrnam(name.c_str());
  if (!entry) throw std::runtime_error(fmt::format("--socket-group: there is no group {}", name));
  return entry->gr_gid;
}

// Where it is a matter of permissions, what would help besides being root.
[[noreturn]] void throw_with_remedy(int error, const std::string& operation,
                                    const std::string& directory) {
  if (error != EACCES && error != EPERM) throw_system_error(error, operation);
  throw std::runtime_error(
      fmt::format("{}: {}. Have root make {} for the user that runs this, or choose another place "
                  "with --socket.",
                  operation, error_text(error), directory.empty() ? "the directory" : directory));
}

// A mode that no umask takes anything from.
int make_directory(const std::string& path) {
  const mode_t before = ::umask(0);
  const int error = ::mkdir(path.c_str(), directory_mode) == 0 ? 0 : errno;
  ::umask(before);
  return error;
}

void give_to_group(const std::string& path, std::optional<gid_t> group) {
  if (group && ::chown(path.c_str(), static_cast<uid_t>(-1), *group) != 0)
    throw_errno("giving the group of --socket-group to " + path);
}

}  // namespace

SocketFile::SocketFile(std::string path, const std::string& group)
    : path_(std::move(path)), lock_path_(path_ + ".lock") {
  const std::string directory = std::filesystem::path(path_).parent_path();
  const std::optional<gid_t> gid = group_id(group);
  if (directory == default_socket_directory) {
    const int error = make_directory(directory);
    if (error != 0 && error != EEXIST)
      throw_with_remedy(error, "making the directory " + directory, directory);
    // It may be there from a run without the group, or for another agent's clients.
    if (gid && std::filesystem::is_empty(directory)) give_to_group(directory, gid);
  }
  lock();
  try {
    remove_stale_socket();
    bind_socket(gid);
  } catch (...) {
    ::unlink(lock_path_.c_str());
    throw;
  }
}

void SocketFile::lock() {
  for (;;) {
    lock_.reset(::open(lock_path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!lock_)
      throw_with_remedy(errno, "opening the lock " + lock_path_,
                        std::filesystem::path(path_).parent_path());
    if (::flock(lock_.get(), LOCK_EX | LOCK_NB) != 0) {
      if (errno != EWOULDBLOCK) throw_errno("locking " + lock_path_);
      char pid[16]{};
      [[maybe_unused]] const ssize_t size = ::read(lock_.get(), pid, sizeof pid - 1);
      throw std::runtime_error(
          fmt::format("another agent serves {} already (pid {})", path_, *pid ? pid : "unknown"));
    }
    // An agent that ends removes its lock. If that happened between our open() and flock(), what
    // we hold is a file that nobody else can find any more.
    struct stat held {};
    struct stat named {};
    if (::fstat(lock_.get(), &held) == 0 && ::stat(lock_path_.c_str(), &named) == 0 &&
        held.st_ino == named.st_ino && held.st_dev == named.st_dev)
      break;
  }
  const std::string pid = std::to_string(::getpid());
  if (::ftruncate(lock_.get(), 0) != 0 || ::pwrite(lock_.get(), pid.data(), pid.size(), 0) < 0)
    throw_errno("writing to the lock " + lock_path_);
}

void SocketFile::remove_stale_socket() const {
  struct stat status {};
  if (::lstat(path_.c_str(), &status) != 0) {
    if (errno == ENOENT) return;
    throw_errno("looking at " + path_);
  }
  if (!S_ISSOCK(status.st_mode))
    throw std::runtime_error(path_ + " exists and is not a socket; it was left as it is");
  const UnixAddress address(path_);
  if (::connect(unix_socket(socket_type).get(), address.data(),
                static_cast<socklen_t>(address.size())) == 0 ||
      errno == EAGAIN)
    throw std::runtime_error(path_ + " is served by another program; it was left as it is");
  if (errno != ECONNREFUSED) throw_errno("connecting to the socket " + path_);
  if (::unlink(path_.c_str()) != 0) throw_errno("removing the stale socket " + path_);
}

void SocketFile::bind_socket(std::optional<gid_t> group) {
  UniqueFd socket = unix_socket(socket_type);
  const UnixAddress address(path_);
  const mode_t before = ::umask(umask_for_socket);
  const int error =
      ::bind(socket.get(), address.data(), static_cast<socklen_t>(address.size())) == 0 ? 0 : errno;
  ::umask(before);
  if (error != 0) throw_system_error(error, "binding the socket " + path_);
  if (::lstat(path_.c_str(), &bound_) != 0) throw_errno("looking at the socket " + path_);
  socket_ = std::move(socket);
  try {
    give_to_group(path_, group);
  } catch (...) {
    remove_socket();
    throw;
  }
}

void SocketFile::remove_socket() const noexcept {
  struct stat named {};
  if (::lstat(path_.c_str(), &named) == 0 && named.st_ino == bound_.st_ino &&
      named.st_dev == bound_.st_dev)
    ::unlink(path_.c_str());
}

SocketFile::~SocketFile() {
  remove_socket();
  ::unlink(lock_path_.c_str());
}

}  // namespace xdp_count
