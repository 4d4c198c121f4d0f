// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "neighbour.hpp"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <doctest/doctest.h>
#include <net/if.h>
#include <xdp/libxdp.h>

#include <chrono>
#include <filesystem>
#include <thread>

#include "interface/attached_programs.hpp"
#include "interface/forgotten_descriptors.hpp"

// Generated C.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wold-style-cast"
#include "neighbour.skel.h"
#pragma GCC diagnostic pop

namespace xdp_count::testing {

Neighbour::Neighbour(std::string_view mode, Buffers buffers)
    : skeleton_(neighbour_bpf__open()), program_(nullptr), generic_(mode == "generic") {
  REQUIRE(skeleton_ != nullptr);
  xdp_program_opts options{};
  options.sz = sizeof options;
  options.obj = skeleton_->obj;
  options.prog_name = "neighbour";
  program_ = xdp_program__create(&options);
  REQUIRE(libxdp_get_error(program_) == 0);
  REQUIRE(xdp_program__set_xdp_frags_support(program_, buffers == Buffers::several) == 0);
}

Neighbour::~Neighbour() {
  xdp_program__close(program_);
  neighbour_bpf__destroy(skeleton_);
}

int Neighbour::attach(const Topology& topology) {
  // libxdp makes this once in a process, and each topology has another bpffs.
  std::filesystem::create_directory("/sys/fs/bpf/xdp");
  ForgottenDescriptors forgotten;
  int result = 0;
  in_network_namespace(topology.receiver(), [&] {
    result =
        xdp_program__attach(program_, static_cast<int>(::if_nametoindex(Topology::receiver_link)),
                            generic_ ? XDP_MODE_SKB : XDP_MODE_NATIVE, 0);
  });
  forgotten.keep(id());
  return result;
}

int Neighbour::detach(const Topology& topology) {
  const ForgottenDescriptors forgotten;
  int result = 0;
  in_network_namespace(topology.receiver(), [&] {
    result =
        xdp_program__detach(program_, static_cast<int>(::if_nametoindex(Topology::receiver_link)),
                            generic_ ? XDP_MODE_SKB : XDP_MODE_NATIVE, 0);
  });
  return result;
}

std::uint32_t Neighbour::id() const {
  return xdp_program__id(program_);
}

std::uint64_t Neighbour::frames(std::uint64_t expected) const {
  std::uint64_t counted = 0;
  for (int tries = 0; tries < 400; ++tries) {
    const std::uint32_t key = 0;
    REQUIRE(bpf_map_lookup_elem(bpf_map__fd(skeleton_->maps.bss), &key, &counted) == 0);
    if (counted >= expected) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return counted;
}

std::vector<std::uint32_t> programs_on_receiver(const Topology& topology) {
  std::vector<std::uint32_t> ids;
  in_network_namespace(topology.receiver(), [&] {
    const auto interface = find_interface(Topology::receiver_link);
    REQUIRE(interface);
    ids = programs_in_dispatcher(interface->programs);
    if (ids.empty())
      for (const AttachedProgram& program : interface->programs) ids.push_back(program.id);
  });
  return ids;
}

}  // namespace xdp_count::testing
