// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "clickhouse.hpp"

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <fmt/core.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <regex>
#include <sstream>
#include <thread>

#include "base/unique_fd.hpp"

namespace xdp_count::testing {
namespace {

constexpr const char* directory = "/run/clickhouse";
constexpr std::uint16_t port = 8123;
constexpr std::chrono::seconds patience{30};

// It writes everything it has not to its standard output.
constexpr const char* configuration = R"(<yandex>
  <logger><level>warning</level><console>1</console></logger>
  <http_port>8123</http_port><tcp_port>9000</tcp_port><listen_host>127.0.0.1</listen_host>
  <path>/run/clickhouse/data/</path><tmp_path>/run/clickhouse/data/tmp/</tmp_path>
  <mark_cache_size>67108864</mark_cache_size>
  <users_config>/run/clickhouse/users.xml</users_config>
  <default_profile>default</default_profile><default_database>default</default_database>
</yandex>
)";
constexpr const char* users = R"(<yandex>
  <profiles><default/></profiles><quotas><default/></quotas>
  <users>
    <default><password/><networks><ip>::/0</ip></networks><profile>default</profile>
      <quota>default</quota></default>
    <hub><password>swordfish</password><networks><ip>::/0</ip></networks><profile>default</profile>
      <quota>default</quota></hub>
  </users>
</yandex>
)";

// Empty where nobody answers.
std::string exchange(const std::string& request) {
  const UniqueFd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    return "";
  if (::send(socket.get(), request.data(), request.size(), MSG_NOSIGNAL) != std::ssize(request))
    return "";
  std::string answer;
  char bytes[65536];
  for (;;) {
    const ssize_t size = ::recv(socket.get(), bytes, sizeof bytes, 0);
    if (size <= 0) return answer;
    answer.append(bytes, static_cast<std::size_t>(size));
  }
}

}  // namespace

ClickHouse::ClickHouse(const Topology& topology) : topology_(topology) {
  std::filesystem::create_directories(std::string(directory) + "/data/tmp");
  std::ofstream(std::string(directory) + "/config.xml") << configuration;
  std::ofstream(std::string(directory) + "/users.xml") << users;
  start();
}

void ClickHouse::start() {
  server_.emplace(
      std::vector<std::string>{CLICKHOUSE, "--config-file", std::string(directory) + "/config.xml"},
      ProcessOptions{.network_namespace = topology_.receiver()});
  const auto end = std::chrono::steady_clock::now() + patience;
  while (answer("SELECT 1") != "1\n") {
    if (!server_->running() || std::chrono::steady_clock::now() > end)
      FAIL("ClickHouse does not answer: ", server_->standard_output(), server_->standard_error());
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
}

void ClickHouse::kill() {
  server_->signal(SIGKILL);
  server_->wait();
  server_.reset();
}

std::string ClickHouse::answer(const std::string& statement) const {
  std::string all;
  in_network_namespace(topology_.receiver(), [&] {
    all = exchange(fmt::format("POST / HTTP/1.0\r\nContent-Length: {}\r\n\r\n{}", statement.size(),
                               statement));
  });
  const std::size_t end_of_head = all.find("\r\n\r\n");
  return end_of_head == all.npos ? "" : all.substr(end_of_head + 4);
}

std::vector<std::string> ClickHouse::run(const std::string& file) const {
  std::ifstream stream(FLEET_DIRECTORY "/" + file);
  REQUIRE(stream);
  std::ostringstream sql;
  sql << stream.rdbuf();
  std::vector<std::string> answers;
  for (const std::string& statement : statements_in(sql.str()))
    answers.push_back(answer(statement));
  return answers;
}

std::vector<std::string> statements_in(const std::string& sql) {
  std::istringstream stream(std::regex_replace(sql, std::regex("--[^\n]*"), ""));
  std::vector<std::string> statements;
  for (std::string statement; std::getline(stream, statement, ';');)
    if (statement.find_first_not_of(" \n") != statement.npos) statements.push_back(statement);
  return statements;
}

}  // namespace xdp_count::testing
