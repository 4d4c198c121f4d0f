// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// The two forms of the program: one sees by itself how many buffers a frame has, and the other one,
// for kernels that do not describe themselves, asks for the length of each frame.
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <doctest/doctest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <memory>

#include "base/error.hpp"
#include "program/frame_length_probe.hpp"
#include "program_under_test.hpp"

namespace xdp_count::testing {
namespace {

bool kernel_has_btf() {
  struct Free {
    void operator()(btf* types) const { btf__free(types); }
  };
  return std::unique_ptr<btf, Free>(btf__load_vmlinux_btf()) != nullptr;
}

std::uint32_t instruction_bytes(ProgramUnderTest& program) {
  bpf_prog_info info{};
  __u32 size = sizeof info;
  if (bpf_obj_get_info_by_fd(program.program().fd(), &info, &size) != 0)
    throw_errno("asking the kernel about the program");
  return info.xlated_prog_len;
}

// Runs this executable again with one argument, as on a kernel without BTF. The exit code.
int run_without_kernel_btf(const char* argument) {
  const pid_t child = ::fork();
  if (child < 0) throw_errno("fork");
  if (child == 0) {
    std::array<char, 10> name = {"bpf-tests"};
    std::array<char*, 3> arguments = {name.data(), const_cast<char*>(argument), nullptr};
    if (::unshare(CLONE_NEWNS) != 0 ||
        ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        (::access("/sys/kernel/btf", F_OK) == 0 &&
         ::mount("none", "/sys/kernel/btf", "tmpfs", 0, nullptr) != 0))
      ::_exit(126);
    ::execv("/proc/self/exe", arguments.data());
    ::_exit(127);
  }
  int status = 0;
  if (::waitpid(child, &status, 0) != child) throw_errno("waitpid");
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

}  // namespace

TEST_CASE("the form of the program is the one that the kernel can load") {
  CHECK(programs_may_name_kernel() == kernel_has_btf());
  ProgramUnderTest usual({});
  ProgramUnderTest asks_kernel({.may_name_kernel = false});
  CHECK((instruction_bytes(usual) != instruction_bytes(asks_kernel)) == kernel_has_btf());
}

TEST_CASE("frames are counted with all their buffers on a kernel without BTF too") {
  CHECK(run_without_kernel_btf("-sf=*multi_buffer.cpp") == 0);
  CHECK(run_without_kernel_btf("-tc=the form of the program*") == 0);
}

}  // namespace xdp_count::testing
