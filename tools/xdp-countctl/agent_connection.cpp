// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "agent_connection.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>
#include <filesystem>
#include <stdexcept>
#include <vector>

#include "json_requests.hpp"
#include "options.hpp"

namespace xdp_count {

namespace asio = boost::asio;
namespace filesystem = std::filesystem;

std::string find_socket(const std::string& interface) {
  if (!interface.empty()) return default_socket_path(interface);

  std::error_code error;
  std::vector<std::string> paths;
  for (filesystem::directory_iterator it(default_socket_directory, error), end; !error && it != end;
       it.increment(error))
    if (it->is_socket(error)) paths.push_back(it->path());
  if (error == std::errc::permission_denied)
    throw std::runtime_error(
        fmt::format("no permission to look into {}: be root or a member of its group",
                    default_socket_directory));
  if (paths.empty())
    throw std::runtime_error(
        fmt::format("no agent is running: there is no socket in {}", default_socket_directory));
  if (paths.size() == 1) return paths.front();
  std::sort(paths.begin(), paths.end());
  throw std::runtime_error(
      fmt::format("several agents are running; choose one with --interface or --socket: {}",
                  fmt::join(paths, ", ")));
}

AgentConnection::AgentConnection(const std::string& path) {
  boost::system::error_code error;
  socket_.connect({path}, error);
  if (!error) return;
  const char* hint = "";
  if (error == boost::system::errc::no_such_file_or_directory)
    hint = "; no agent serves it: start xdp-count on the interface";
  else if (error == boost::system::errc::connection_refused)
    hint = "; the agent that made it is gone: start xdp-count on the interface again";
  else if (error == boost::system::errc::permission_denied)
    hint = "; be root or a member of the socket's group";
  throw std::runtime_error(fmt::format("connecting to {}: {}{}", path, error.message(), hint));
}

void AgentConnection::send(const Request& request) {
  asio::write(socket_, asio::buffer(encode_request(request)));
}

std::optional<std::string> AgentConnection::read_line() {
  boost::system::error_code error;
  const std::size_t size = asio::read_until(socket_, asio::dynamic_buffer(buffer_), '\n', error);
  if (error) return std::nullopt;
  std::string line = buffer_.substr(0, size - 1);
  buffer_.erase(0, size);
  return line;
}

}  // namespace xdp_count
