// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "topology.hpp"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>

#include <cstdio>
#include <cstdlib>
#include <stdexcept>

#include "base/error.hpp"
#include "process.hpp"

namespace xdp_count::testing {
namespace {

void mount_over(const char* type, const char* target) {
  if (::mount(type, target, type, 0, nullptr) != 0)
    throw_errno(std::string("mounting a ") + type + " on " + target);
}

void run_script(const std::string& command, const std::string& name) {
  Process script({TOPOLOGY_SCRIPT, command, name});
  if (const int code = script.wait(); code != 0)
    throw std::runtime_error("netns/topology.sh " + command + ": " + script.standard_error());
}

UniqueFd open_namespace(const std::string& name) {
  UniqueFd fd(::open(("/run/netns/" + name).c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) throw_errno("opening the network namespace " + name);
  return fd;
}

}  // namespace

void isolate_this_process() {
  if (::unshare(CLONE_NEWNS) != 0) throw_errno("making a mount namespace");
  if (::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0)
    throw_errno("making the mounts private");
}

Topology::Topology() {
  static int number = 0;
  name_ = "test" + std::to_string(++number);
  mount_over("tmpfs", "/run");
  mount_over("bpf", "/sys/fs/bpf");
  run_script("up", name_);
  sender_ = open_namespace(name_ + "-sender");
  receiver_ = open_namespace(name_ + "-receiver");
}

Topology::~Topology() {
  try {
    run_script("down", name_);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
  }
  // The file systems are detached lazily: a process of the test may still be about to end there.
  ::umount2("/sys/fs/bpf", MNT_DETACH);
  ::umount2("/run", MNT_DETACH);
}

void in_network_namespace(int fd, const std::function<void()>& work) {
  const UniqueFd home(::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
  if (!home || ::setns(fd, CLONE_NEWNET) != 0) throw_errno("entering a network namespace");
  struct GoHome {
    int fd;
    ~GoHome() {
      // Anything else this thread did would be done in the wrong place.
      if (::setns(fd, CLONE_NEWNET) != 0) std::abort();
    }
  } go_home{home.get()};
  work();
}

}  // namespace xdp_count::testing
