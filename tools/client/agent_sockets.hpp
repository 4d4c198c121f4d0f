// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Where the agents of this host serve.
#pragma once

#include <string>
#include <vector>

namespace xdp_count {

// The sockets in the default directory, in order. Throws std::runtime_error where it may not be
// looked into.
std::vector<std::string> agent_sockets();

// The same, where there has to be one at the least.
std::vector<std::string> require_agent_sockets();

// The socket of the agent on `interface`, where that is not empty; else the only one in the default
// directory. Where no socket has the interface's name, the agents there are asked for theirs.
// Throws std::runtime_error, which says what there is, when there is none or more.
std::string find_socket(const std::string& interface);

// The same paths in their order, where several lead to one socket the first of these.
std::vector<std::string> distinct_sockets(const std::vector<std::string>& paths);

// What the agent at `path` is called until it says its interface: "eth0" for eth0.sock.
std::string socket_name(const std::string& path);

}  // namespace xdp_count
