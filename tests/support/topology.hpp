// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once

#include <functional>
#include <string>

#include "base/unique_fd.hpp"

namespace xdp_count::testing {

// Gives this process, and all that it starts, a mount namespace with an empty /run and a bpffs of
// its own. The network namespaces that are made afterwards are known there alone and vanish with
// the last process in it, however that ends; and tests that run at once do not meet. Throws
// std::system_error.
void isolate_this_process();

// netns/topology.sh: two network namespaces joined by a veth pair, taken down in the end, with an
// empty /run and an empty bpffs. Needs isolate_this_process(). Throws std::runtime_error.
class Topology {
 public:
  static constexpr const char* sender_link = "send0";
  static constexpr const char* receiver_link = "count0";

  Topology();
  ~Topology();
  Topology(const Topology&) = delete;
  Topology& operator=(const Topology&) = delete;

  int sender() const { return sender_.get(); }  // descriptors of the network namespaces
  int receiver() const { return receiver_.get(); }

 private:
  std::string name_;
  UniqueFd sender_;
  UniqueFd receiver_;
};

// Runs `work` with this thread in the network namespace `fd`, then goes back. Throws
// std::system_error, and what `work` throws.
void in_network_namespace(int fd, const std::function<void()>& work);

}  // namespace xdp_count::testing
