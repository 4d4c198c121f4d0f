// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// What is left on an interface where attaching, adopting or detaching fails half-way.
#include "interface/attachment.hpp"

#include <doctest/doctest.h>
#include <linux/capability.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <exception>
#include <string>
#include <system_error>

#include "agent_fixture.hpp"
#include "other_build.hpp"
#include "program/program_owner.hpp"
#include "skip.hpp"

using namespace xdp_count::testing;

namespace {

using xdp_count::Attachment;
using xdp_count::XdpMode;

constexpr xdp_count::ProgramSettings settings{.hot_slots = 64, .max_sources = 64};

xdp_count::NetworkInterface receiver_interface() {
  const auto interface = xdp_count::find_interface(Topology::receiver_link);
  REQUIRE(interface);
  return *interface;
}

// While it lives this process can open so many files more.
class FewDescriptors {
 public:
  explicit FewDescriptors(unsigned spare) {
    REQUIRE(::getrlimit(RLIMIT_NOFILE, &before_) == 0);
    const int next = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    REQUIRE(next >= 0);
    ::close(next);
    rlimit few = before_;
    few.rlim_cur = static_cast<rlim_t>(next) + spare;
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &few) == 0);
  }
  ~FewDescriptors() { ::setrlimit(RLIMIT_NOFILE, &before_); }
  FewDescriptors(const FewDescriptors&) = delete;
  FewDescriptors& operator=(const FewDescriptors&) = delete;

 private:
  rlimit before_{};
};

// While it lives this thread lacks a capability that it has.
class WithoutCapability {
 public:
  explicit WithoutCapability(unsigned capability) {
    set([&](__user_cap_data_struct& word) { word.effective &= ~(1U << capability % 32); },
        capability);
    capability_ = capability;
  }
  ~WithoutCapability() {
    set([&](__user_cap_data_struct& word) { word.effective |= 1U << capability_ % 32; },
        capability_);
  }
  WithoutCapability(const WithoutCapability&) = delete;
  WithoutCapability& operator=(const WithoutCapability&) = delete;

 private:
  template <class Change>
  static void set(const Change& change, unsigned capability) {
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    __user_cap_data_struct words[_LINUX_CAPABILITY_U32S_3]{};
    REQUIRE(::syscall(SYS_capget, &header, words) == 0);
    change(words[capability / 32]);
    REQUIRE(::syscall(SYS_capset, &header, words) == 0);
  }

  unsigned capability_ = 0;
};

constexpr int attached = 0;
constexpr int failed = 1;

// What comes of attaching, and detaching again, with so many descriptors to spare. In a process of
// its own, since libbpf takes what fails for want of one for a feature that the kernel lacks, and
// remembers that.
int result_with_few_descriptors(unsigned spare) {
  const auto interface = receiver_interface();
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    int result = failed;
    try {
      const FewDescriptors few(spare);
      const Attachment attachment(interface, XdpMode::native, settings);
      result = attached;
    } catch (const std::exception&) {
    }
    ::_exit(result);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

}  // namespace

TEST_CASE("wherever an agent runs out of descriptors at start, nothing is left on the interface") {
  if (address_sanitizer) return skip(sanitizer_needs_descriptors);
  const Topology topology;
  unsigned failures = 0;
  for (;; ++failures) {
    CAPTURE(failures);
    int result = -1;
    in_network_namespace(topology.receiver(),
                         [&] { result = result_with_few_descriptors(failures); });
    REQUIRE(!receiver_has_program(topology));
    if (result == attached) break;
    REQUIRE(result == failed);
  }
  // It fails before, while and after it is attached.
  CHECK(failures > 20);
}

TEST_CASE("an adopted program stays, with its owner gone, until counting goes on from it") {
  const Topology topology;
  in_network_namespace(topology.receiver(), [&] {
    const auto interface = receiver_interface();
    Attachment first(interface, XdpMode::native, settings);
    const std::uint32_t id = first.program().info().id;
    const auto memory = owner_of_program(id);
    const xc_owner& owner = memory.values().front();
    CHECK(owner.process == xdp_count::this_process().process);
    for (const bool released : {false, true}) {
      CAPTURE(released);
      memory.values().front() = {};  // as if the one before had been killed
      {
        Attachment next(interface, XdpMode::native, settings);
        CHECK(next.adopted());
        CHECK(next.program().info().id == id);
        CHECK(owner.process == xdp_count::this_process().process);
        if (released) next.release();
      }
      CHECK(program_on_receiver(topology) == id);
      CHECK(owner.process == (released ? xdp_count::this_process().process : 0));
    }
  });
}

TEST_CASE("a process that counts with a program is not followed while it lives") {
  const Topology topology;
  in_network_namespace(topology.receiver(), [&] {
    const auto interface = receiver_interface();
    const Attachment first(interface, XdpMode::native, settings);
    const std::string error =
        "xdp-count with pid " + std::to_string(::getpid()) + " counts on count0 already";
    CHECK_THROWS_WITH(Attachment(interface, XdpMode::native, settings), error.c_str());
    CHECK(receiver_has_program(topology));
  });
}

TEST_CASE("a detach that failed is tried again") {
  const Topology topology;
  in_network_namespace(topology.receiver(), [&] {
    Attachment attachment(receiver_interface(), XdpMode::native, settings);
    {
      const WithoutCapability without(CAP_NET_ADMIN);
      CHECK_THROWS_AS(attachment.detach(), std::system_error);
    }
    CHECK(receiver_has_program(topology));
    attachment.detach();
    CHECK(!receiver_has_program(topology));
  });
}
