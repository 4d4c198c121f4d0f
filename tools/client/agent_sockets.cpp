// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "client/agent_sockets.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <stdexcept>
#include <system_error>

#include "protocol/socket_path.hpp"

namespace xdp_count {

namespace filesystem = std::filesystem;

std::vector<std::string> agent_sockets() {
  std::error_code error;
  std::vector<std::string> paths;
  for (filesystem::directory_iterator it(default_socket_directory, error), end; !error && it != end;
       it.increment(error))
    if (it->is_socket(error)) paths.push_back(it->path());
  if (error == std::errc::permission_denied)
    throw std::runtime_error(
        fmt::format("no permission to look into {}: be root or a member of its group",
                    default_socket_directory));
  std::sort(paths.begin(), paths.end());
  return paths;
}

std::vector<std::string> require_agent_sockets() {
  std::vector<std::string> paths = agent_sockets();
  if (paths.empty())
    throw std::runtime_error(
        fmt::format("no agent is running: there is no socket in {}", default_socket_directory));
  return paths;
}

std::string find_socket(const std::string& interface) {
  if (!interface.empty()) return default_socket_path(interface);
  const std::vector<std::string> paths = require_agent_sockets();
  if (paths.size() == 1) return paths.front();
  throw std::runtime_error(
      fmt::format("several agents are running; choose one with --interface or --socket: {}",
                  fmt::join(paths, ", ")));
}

std::string socket_name(const std::string& path) {
  return filesystem::path(path).stem();
}

}  // namespace xdp_count
