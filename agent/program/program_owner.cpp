// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "program/program_owner.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>
#include <system_error>

#include "base/error.hpp"

namespace xdp_count {
namespace {

__u64 word_of(pid_t pid, std::uint32_t began) {
  return static_cast<std::uint32_t>(pid) | __u64{began} << 32;
}

pid_t pid_of(__u64 process) {
  return static_cast<pid_t>(process & 0xffff'ffff);
}

// When a process began, as xc_owner has it; nothing where /proc does not say. `process`: a pid, or
// "self".
std::optional<std::uint32_t> beginning_of(const std::string& process) {
  std::ifstream file("/proc/" + process + "/stat");
  std::string line;
  if (!std::getline(file, line)) return std::nullopt;
  // The second field is a name in parentheses, which may hold anything; the rest are numbers but
  // for the third.
  std::istringstream rest(line.substr(line.rfind(')') + 1));
  std::string field;
  for (int number = 3; number < 22; ++number) rest >> field;
  std::uint64_t ticks = 0;
  if (!(rest >> ticks)) return std::nullopt;
  return static_cast<std::uint32_t>(ticks);
}

__u64 own_pid_namespace() {
  struct stat status {};
  if (::stat("/proc/self/ns/pid", &status) != 0) throw_errno("looking at /proc/self/ns/pid");
  return status.st_ino;
}

// Whether the pids under /proc are those that this process knows.
bool has_own_proc() {
  std::error_code error;
  return std::filesystem::read_symlink("/proc/self", error) == std::to_string(::getpid());
}

}  // namespace

xc_owner this_process() {
  const auto began = beginning_of("self");
  if (!began) throw_system_error(ENOENT, "reading /proc/self/stat");
  return {.process = word_of(::getpid(), *began), .pid_namespace = own_pid_namespace()};
}

ProgramOwner::ProgramOwner(int owner_fd) : record_(owner_fd, 1, ".bss") {}

ProgramOwner::State ProgramOwner::state() const {
  if (record_.values().empty()) return State::nobody;
  xc_owner& record = record_.values().front();
  seen_ = std::atomic_ref(record.process).load();
  if (seen_ == 0) return State::nobody;
  if (std::atomic_ref(record.pid_namespace).load() != own_pid_namespace()) return State::hidden;
  const pid_t pid = pid_of(seen_);
  if (::kill(pid, 0) != 0 && errno == ESRCH) return State::nobody;
  const auto began = has_own_proc() ? beginning_of(std::to_string(pid)) : std::nullopt;
  if (!began) return State::hidden;
  return word_of(pid, *began) == seen_ ? State::counting : State::nobody;
}

pid_t ProgramOwner::pid() const noexcept {
  return record_.values().empty()
             ? 0
             : pid_of(std::atomic_ref(record_.values().front().process).load());
}

bool ProgramOwner::take() {
  if (record_.values().empty()) return true;
  xc_owner& record = record_.values().front();
  const xc_owner self = this_process();
  if (!std::atomic_ref(record.process).compare_exchange_strong(seen_, self.process)) return false;
  // A process that looks in between finds a pid of another namespace, and asks the interface's
  // lock.
  std::atomic_ref(record.pid_namespace).store(self.pid_namespace);
  return true;
}

void ProgramOwner::give_up() noexcept {
  if (record_.values().empty()) return;
  std::atomic_ref process(record_.values().front().process);
  __u64 own = process.load();
  if (pid_of(own) == ::getpid()) process.compare_exchange_strong(own, 0);
}

}  // namespace xdp_count
