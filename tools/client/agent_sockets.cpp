// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "client/agent_sockets.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <set>
#include <stdexcept>
#include <system_error>

#include "client/agent_answer.hpp"
#include "client/permission_hint.hpp"
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
    throw std::runtime_error(fmt::format("no permission to look into {}: {}",
                                         default_socket_directory,
                                         permission_hint(default_socket_directory)));
  if (error && error != std::errc::no_such_file_or_directory)
    throw std::runtime_error(
        fmt::format("looking into {}: {}", default_socket_directory, error.message()));
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

namespace {

// The interface that the agent at `path` counts on; nothing where it does not answer.
std::optional<std::string> interface_of(const std::string& path) {
  try {
    return status_of(path).head.interface;
  } catch (const std::runtime_error&) {
    return std::nullopt;
  }
}

// An interface may have been renamed since its agent made the socket, which keeps the old name.
std::string socket_of_renamed(const std::string& interface) {
  std::vector<std::string> others;
  for (const std::string& path : agent_sockets()) {
    const auto name = interface_of(path);
    if (name == interface) return path;
    others.push_back(name.value_or(path + " (no answer)"));
  }
  // Connecting says what is missing.
  if (others.empty()) return default_socket_path(interface);
  throw std::runtime_error(fmt::format("no agent counts on {}; those that are running count on: {}",
                                       interface, fmt::join(others, ", ")));
}

}  // namespace

std::string find_socket(const std::string& interface) {
  if (!interface.empty()) {
    const std::string path = default_socket_path(interface);
    std::error_code error;
    const auto type = filesystem::status(path, error).type();
    return type == filesystem::file_type::not_found ? socket_of_renamed(interface) : path;
  }
  const std::vector<std::string> paths = require_agent_sockets();
  if (paths.size() == 1) return paths.front();
  throw std::runtime_error(
      fmt::format("several agents are running; choose one with --interface or --socket: {}",
                  fmt::join(paths, ", ")));
}

std::vector<std::string> distinct_sockets(const std::vector<std::string>& paths) {
  std::vector<std::string> distinct;
  std::set<filesystem::path> known;
  for (const std::string& path : paths) {
    std::error_code error;  // where there is none: connecting says so
    const filesystem::path canonical = filesystem::canonical(path, error);
    if (known.insert(error ? filesystem::path(path) : canonical).second) distinct.push_back(path);
  }
  return distinct;
}

std::string socket_name(const std::string& path) {
  return filesystem::path(path).stem();
}

}  // namespace xdp_count
