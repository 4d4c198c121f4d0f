// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "process.hpp"

#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <fstream>

#include <array>
#include <stdexcept>
#include <thread>

#include "base/error.hpp"

namespace xdp_count::testing {
namespace {

constexpr std::chrono::milliseconds poll_step{5};
constexpr int could_not_start = 127;

UniqueFd memory_file(const char* name) {
  UniqueFd fd(::memfd_create(name, MFD_CLOEXEC));
  if (!fd) throw_errno("making a file in memory");
  return fd;
}

std::string contents(const UniqueFd& file) {
  std::string text;
  std::array<char, 4096> buffer{};
  for (ssize_t size = 0; (size = ::pread(file.get(), buffer.data(), buffer.size(),
                                         static_cast<off_t>(text.size()))) > 0;)
    text.append(buffer.data(), static_cast<std::size_t>(size));
  return text;
}

// Becomes another user, who has none but these capabilities. Runs between fork and exec.
bool become(uid_t uid, const std::vector<unsigned>& capabilities) {
  if (::prctl(PR_SET_KEEPCAPS, 1) != 0 || ::setgroups(0, nullptr) != 0 || ::setgid(uid) != 0 ||
      ::setuid(uid) != 0)
    return false;
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3]{};
  for (const unsigned capability : capabilities) {
    __user_cap_data_struct& set = sets[CAP_TO_INDEX(capability)];
    set.effective = set.permitted = set.inheritable |= CAP_TO_MASK(capability);
  }
  if (::syscall(SYS_capset, &header, sets) != 0) return false;
  for (const unsigned capability : capabilities)
    if (::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0) != 0) return false;
  return true;
}

}  // namespace

Process::Process(const std::vector<std::string>& command, const ProcessOptions& options)
    : standard_output_(memory_file("stdout")), standard_error_(memory_file("stderr")) {
  std::vector<char*> arguments;
  for (const std::string& argument : command)
    arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  const pid_t parent = ::getpid();
  // Until the new program runs, a signal would come to the handlers of this one.
  sigset_t all{}, before{};
  ::sigfillset(&all);
  ::sigprocmask(SIG_BLOCK, &all, &before);
  pid_ = ::fork();
  const int error = errno;
  if (pid_ != 0) ::sigprocmask(SIG_SETMASK, &before, nullptr);
  if (pid_ < 0) throw_system_error(error, "fork");
  if (pid_ > 0) return;

  // The child. What fails from here on is seen as the exit code and in standard error.
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) ::signal(number, SIG_DFL);
  ::sigprocmask(SIG_SETMASK, &before, nullptr);
  ::dup2(options.standard_output.value_or(standard_output_.get()), STDOUT_FILENO);
  ::dup2(options.standard_error.value_or(standard_error_.get()), STDERR_FILENO);
  const bool entered =
      options.network_namespace < 0 || ::setns(options.network_namespace, CLONE_NEWNET) == 0;
  // The executable is opened as root: another user may have no way to where the tree was cloned.
  const int program = ::open(arguments[0], O_RDONLY | O_CLOEXEC);
  for (const std::string& variable : options.environment)
    ::putenv(const_cast<char*>(variable.c_str()));
  const bool became = options.uid == 0 || become(options.uid, options.capabilities);
  // This comes after setuid(), which clears it.
  if (entered && became && ::prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && ::getppid() == parent) {
    if (options.uid == 0)
      ::execv(arguments[0], arguments.data());  // a script, too
    else
      ::fexecve(program, arguments.data(), environ);
  }
  ::perror(arguments[0]);
  ::_exit(could_not_start);
}

Process::~Process() {
  if (!running()) return;
  signal(SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

bool Process::running() {
  if (exit_code_) return false;
  int status = 0;
  if (::waitpid(pid_, &status, WNOHANG) != pid_) return true;
  exit_code_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return false;
}

void Process::signal(int number) {
  ::kill(pid_, number);
}

int Process::wait(std::chrono::milliseconds patience) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (running()) {
    if (std::chrono::steady_clock::now() > deadline)
      throw std::runtime_error("process " + std::to_string(pid_) +
                               " has not ended; it wrote: " + standard_error());
    std::this_thread::sleep_for(poll_step);
  }
  return *exit_code_;
}

std::string Process::standard_output() const {
  return contents(standard_output_);
}

std::string Process::standard_error() const {
  return contents(standard_error_);
}

double resident_mib(pid_t pid) {
  std::ifstream status("/proc/" + std::to_string(pid) + "/status");
  for (std::string field; status >> field;) {
    double kib = 0;
    if (field == "RssAnon:" && status >> kib) return kib / 1024;
  }
  return -1;
}

}  // namespace xdp_count::testing
