// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// What this executable does for a user who may not load XDP programs.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <string>

#include "base/error.hpp"
#include "base/unique_fd.hpp"

namespace xdp_count::testing {
namespace {

struct Ended {
  int exit_code = -1;
  std::string output;
};

// Runs this executable again, after `give_up_privileges` in the new process. That one must be safe
// between fork and exec; when it answers false the exit code is 126.
Ended run_again(bool (*give_up_privileges)()) {
  // It is run by descriptor: a user without privileges need not be able to walk to the build
  // directory.
  const UniqueFd executable(::open("/proc/self/exe", O_RDONLY | O_CLOEXEC));
  if (!executable) throw_errno("opening /proc/self/exe");
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw_errno("pipe2");
  const UniqueFd reader(ends[0]);
  UniqueFd writer(ends[1]);

  const pid_t child = ::fork();
  if (child < 0) throw_errno("fork");
  if (child == 0) {
    std::array<char, 10> name = {"bpf-tests"};
    std::array<char*, 2> arguments = {name.data(), nullptr};
    std::array<char*, 1> environment = {nullptr};
    ::dup2(writer.get(), STDOUT_FILENO);
    ::dup2(writer.get(), STDERR_FILENO);
    if (!give_up_privileges()) ::_exit(126);
    ::fexecve(executable.get(), arguments.data(), environment.data());
    ::_exit(127);
  }
  writer.reset();
  Ended ended;
  std::array<char, 512> buffer{};
  for (ssize_t size = 0; (size = ::read(reader.get(), buffer.data(), buffer.size())) > 0;)
    ended.output.append(buffer.data(), static_cast<std::size_t>(size));
  int status = 0;
  if (::waitpid(child, &status, 0) != child) throw_errno("waitpid");
  if (WIFEXITED(status)) ended.exit_code = WEXITSTATUS(status);
  return ended;
}

bool become_nobody() {
  constexpr uid_t nobody = 65534;
  return ::setresgid(nobody, nobody, nobody) == 0 && ::setresuid(nobody, nobody, nobody) == 0;
}

bool stay_root_without(int capability) {
  // Root regains on exec what is in its bounding set.
  return ::prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) == 0;
}

}  // namespace

TEST_CASE("these tests are skipped, with the reason, for a user without privileges") {
  const Ended ended = run_again(become_nobody);
  CHECK(ended.exit_code == 77);
  CHECK(ended.output ==
        "skipped: loading and running an XDP program needs CAP_BPF CAP_PERFMON CAP_NET_ADMIN "
        "CAP_SYS_ADMIN\n");
}

TEST_CASE("these tests are skipped, with the reason, for a root user without the capability") {
  const Ended ended = run_again([] { return stay_root_without(CAP_NET_ADMIN); });
  CHECK(ended.exit_code == 77);
  CHECK(ended.output == "skipped: loading and running an XDP program needs CAP_NET_ADMIN\n");
}

}  // namespace xdp_count::testing
