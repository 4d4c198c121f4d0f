// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "server/socket_file.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <grp.h>
#include <sys/file.h>
#include <sys/socket.h>

#include <cstdio>
#include <cstring>
#include <filesystem>
#include <optional>
#include <stdexcept>
#include <utility>

#include "async/unix_socket.hpp"
#include "base/error.hpp"
#include "base/log.hpp"
#include "protocol/socket_path.hpp"

namespace xdp_count {
namespace {

// The default directory is only for users that may connect; the socket itself has no execute bit.
constexpr mode_t directory_mode = 0750;
constexpr mode_t hidden_mode = 0700;
constexpr const char* socket_in_hidden = "socket";
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

// A mode that no umask takes anything from. 0, or what went wrong.
int make_directory(int at, const std::string& name, mode_t mode) {
  const mode_t before = ::umask(0);
  const int error = ::mkdirat(at, name.c_str(), mode) == 0 ? 0 : errno;
  ::umask(before);
  return error;
}

// None where there is no such directory, or something else, a link included.
UniqueFd directory_in(int directory, const std::string& name) {
  return UniqueFd(::openat(directory, name.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
}

// The address of what a descriptor refers to. sun_path has less room than a path may need.
UnixAddress address_of(const UniqueFd& fd, const std::string& name = "") {
  return UnixAddress(fmt::format("/proc/self/fd/{}{}{}", fd.get(), name.empty() ? "" : "/", name));
}

bool is_same(const struct stat& one, const struct stat& other) {
  return one.st_ino == other.st_ino && one.st_dev == other.st_dev;
}

}  // namespace

SocketFile::SocketFile(std::string path, const std::string& group)
    : path_(std::move(path)), name_(std::filesystem::path(path_).filename().string()) {
  if (name_.empty()) throw std::runtime_error(path_ + " is no name for a socket: it ends in a /");
  directory_path_ = std::filesystem::path(path_).parent_path().string();
  if (directory_path_.empty()) directory_path_ = ".";
  lock_name_ = name_ + ".lock";
  hidden_name_ = name_ + ".new";
  open_directory(group);
  lock();
  try {
    remove_stale_socket();
    bind_socket();
  } catch (...) {
    remove_hidden();
    ::unlinkat(directory_.get(), lock_name_.c_str(), 0);
    throw;
  }
}

void SocketFile::open_directory(const std::string& group) {
  group_ = group_id(group);
  const bool is_default = directory_path_ == default_socket_directory;
  if (is_default) {
    const int error = make_directory(AT_FDCWD, directory_path_, directory_mode);
    if (error != 0 && error != EEXIST)
      throw_with_remedy(error, "making the directory " + directory_path_, directory_path_);
  }
  directory_.reset(::open(directory_path_.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!directory_)
    throw_with_remedy(errno, "opening the directory " + directory_path_, directory_path_);
  // It may be there from a run without the group, or for another agent's clients.
  if (is_default && group_ && std::filesystem::is_empty(directory_path_) &&
      ::fchownat(directory_.get(), "", static_cast<uid_t>(-1), *group_, AT_EMPTY_PATH) != 0)
    throw_errno("giving the group of --socket-group to " + directory_path_);
}

void SocketFile::lock() {
  const std::string lock_path = path_ + ".lock";
  for (;;) {
    lock_.reset(::openat(directory_.get(), lock_name_.c_str(),
                         O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!lock_) throw_with_remedy(errno, "opening the lock " + lock_path, directory_path_);
    if (::flock(lock_.get(), LOCK_EX | LOCK_NB) != 0) {
      if (errno != EWOULDBLOCK) throw_errno("locking " + lock_path);
      char pid[16]{};
      [[maybe_unused]] const ssize_t size = ::read(lock_.get(), pid, sizeof pid - 1);
      throw std::runtime_error(
          fmt::format("another agent serves {} already (pid {})", path_, *pid ? pid : "unknown"));
    }
    // An agent that ends removes its lock. If that happened between our open() and flock(), what
    // we hold is a file that nobody else can find any more.
    struct stat held {};
    struct stat named {};
    if (::fstat(lock_.get(), &held) != 0 ||
        ::fstatat(directory_.get(), lock_name_.c_str(), &named, AT_SYMLINK_NOFOLLOW) != 0 ||
        !is_same(held, named))
      continue;
    if (held.st_nlink != 1)
      throw std::runtime_error(lock_path + " is another file's second name; it was left as it is");
    break;
  }
  const std::string pid = std::to_string(::getpid());
  if (::ftruncate(lock_.get(), 0) != 0 || ::pwrite(lock_.get(), pid.data(), pid.size(), 0) < 0)
    throw_errno("writing to the lock " + lock_path);
}

void SocketFile::remove_stale_socket() const {
  const UniqueFd found(::openat(directory_.get(), name_.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
  struct stat status {};
  if (!found && errno == ENOENT) return;
  if (!found || ::fstat(found.get(), &status) != 0) throw_errno("looking at " + path_);
  if (!S_ISSOCK(status.st_mode))
    throw std::runtime_error(path_ + " exists and is not a socket; it was left as it is");
  const UnixAddress address = address_of(found);
  if (::connect(unix_socket(socket_type).get(), address.data(),
                static_cast<socklen_t>(address.size())) == 0 ||
      errno == EAGAIN)
    throw std::runtime_error(path_ + " is served by another program; it was left as it is");
  if (errno != ECONNREFUSED) throw_errno("connecting to the socket " + path_);
  if (::unlinkat(directory_.get(), name_.c_str(), 0) != 0)
    throw_errno("removing the stale socket " + path_);
}

// Nobody else can replace what is in a directory of ours.
void SocketFile::bind_socket() {
  const std::string hidden_path = path_ + ".new";
  hidden_ = directory_in(directory_.get(), hidden_name_);  // of an agent that was killed
  if (hidden_) remove_hidden();
  const int made = make_directory(directory_.get(), hidden_name_, hidden_mode);
  if (made != 0) throw_system_error(made, "making the directory " + hidden_path);
  hidden_ = directory_in(directory_.get(), hidden_name_);
  struct stat status {};
  if (!hidden_ || ::fstat(hidden_.get(), &status) != 0) throw_errno("opening " + hidden_path);
  if (status.st_uid != ::geteuid() || (status.st_mode & 0777) != hidden_mode)
    throw std::runtime_error("somebody else has replaced the directory " + hidden_path);

  UniqueFd socket = unix_socket(socket_type);
  const UnixAddress address = address_of(hidden_, socket_in_hidden);
  const mode_t before = ::umask(umask_for_socket);
  const int error =
      ::bind(socket.get(), address.data(), static_cast<socklen_t>(address.size())) == 0 ? 0 : errno;
  ::umask(before);
  if (error != 0) throw_system_error(error, "binding the socket " + path_);
  if (::fstatat(hidden_.get(), socket_in_hidden, &bound_, AT_SYMLINK_NOFOLLOW) != 0)
    throw_errno("looking at the socket " + path_);
  if (group_ && ::fchownat(hidden_.get(), socket_in_hidden, static_cast<uid_t>(-1), *group_,
                           AT_SYMLINK_NOFOLLOW) != 0)
    throw_errno("giving the group of --socket-group to " + path_);
  socket_ = std::move(socket);
}

void SocketFile::show() {
  if (::renameat2(hidden_.get(), socket_in_hidden, directory_.get(), name_.c_str(),
                  RENAME_NOREPLACE) != 0) {
    if (errno != EEXIST) throw_errno("putting the socket in its place at " + path_);
    throw std::runtime_error("something else has come to " + path_ +
                             " meanwhile; it was left as it is");
  }
  remove_hidden();
}

void SocketFile::remove_hidden() noexcept {
  if (!hidden_) return;
  ::unlinkat(hidden_.get(), socket_in_hidden, 0);
  ::unlinkat(directory_.get(), hidden_name_.c_str(), AT_REMOVEDIR);
  hidden_.reset();
}

void SocketFile::remove_files() const {
  struct stat named {};
  if (::fstatat(directory_.get(), name_.c_str(), &named, AT_SYMLINK_NOFOLLOW) == 0 &&
      is_same(named, bound_) && ::unlinkat(directory_.get(), name_.c_str(), 0) != 0)
    throw_errno("removing the socket " + path_);
  if (::unlinkat(directory_.get(), lock_name_.c_str(), 0) != 0 && errno != ENOENT)
    throw_errno("removing the lock " + path_ + ".lock");
}

SocketFile::~SocketFile() {
  remove_hidden();
  try {
    remove_();
  } catch (const std::exception& error) {
    log::warning("removing {} and its lock: {}", path_, error.what());
  }
}

}  // namespace xdp_count
