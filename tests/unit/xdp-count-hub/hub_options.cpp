// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "hub_options.hpp"

#include <doctest/doctest.h>

#include <string>
#include <variant>
#include <vector>

using namespace xdp_count;

namespace {

HubOptions hub_options(const std::vector<std::string>& arguments) {
  const auto parsed = parse_hub_options(arguments);
  REQUIRE(std::holds_alternative<HubOptions>(parsed));
  return std::get<HubOptions>(parsed);
}

EarlyExit hub_exit(const std::vector<std::string>& arguments) {
  const auto parsed = parse_hub_options(arguments);
  REQUIRE(std::holds_alternative<EarlyExit>(parsed));
  return std::get<EarlyExit>(parsed);
}

}  // namespace

TEST_CASE("the hub listens on loopback unless it is told otherwise") {
  const HubOptions plain = hub_options({});
  REQUIRE(plain.listen.size() == 1);
  CHECK(plain.listen[0].text == default_listen_address);
  CHECK(plain.listen[0].is_loopback);
  CHECK(plain.token_file.empty());
  CHECK(plain.hosts.empty());

  const HubOptions several = hub_options(
      {"--listen", "[::1]:80", "-l", "unix:/tmp/hub.sock", "--host", "a", "--host", "b"});
  REQUIRE(several.listen.size() == 2);
  CHECK(several.listen[0].is_loopback);
  CHECK(several.listen[1].unix_path == "/tmp/hub.sock");
  CHECK(several.hosts == std::vector<std::string>{"a", "b"});
}

TEST_CASE("an address that others reach takes a token, or that one says that it is for everybody") {
  for (const char* address : {"0.0.0.0:80", "192.0.2.1:80", "[::]:80", "[2001:db8::1]:80"}) {
    const EarlyExit refusal = hub_exit({"--listen", address});
    CHECK(refusal.code == 2);
    CHECK(refusal.text.find("--token-file") != std::string::npos);
    CHECK_FALSE(hub_options({"--listen", address, "--insecure"}).listen[0].is_loopback);
    CHECK(hub_options({"--listen", address, "--token-file", "t"}).token_file == "t");
  }
}

TEST_CASE("a history has a file and limits, and limits take a file") {
  CHECK(hub_options({}).history_file.empty());
  const HubOptions plain = hub_options({"--history", "a.db"});
  CHECK(plain.history_file == "a.db");
  CHECK(plain.history.bytes == 1 << 30);
  CHECK(plain.history.rows == 10'000);
  CHECK(plain.history.interval_ms == 60'000);
  const HubOptions other = hub_options({"--history", "a.db", "--history-size", "32",
                                        "--history-rows", "0", "--history-interval", "1"});
  CHECK(other.history.bytes == 32 << 20);
  CHECK(other.history.rows == 0);
  CHECK(other.history.interval_ms == 1000);
  for (const std::vector<std::string>& wrong :
       {std::vector<std::string>{"--history", ""},
        {"--history-size", "32"},
        {"--history", "a.db", "--history-size", "31"},
        {"--history", "a.db", "--history-size", "32", "--history-rows", "20000"},
        {"--history", "a.db", "--history-rows", "1000001"},
        {"--history", "a.db", "--history-interval", "0"},
        {"--history", "a.db", "--history-interval", "3601"}})
    CHECK_MESSAGE(hub_exit(wrong).code == 2, wrong.back());
}

TEST_CASE("a ClickHouse takes a history, and everything about it takes a ClickHouse") {
  const std::vector<std::string> sending{"--history", "a.db", "--clickhouse", "https://ch.example"};
  CHECK(!hub_options({"--history", "a.db"}).clickhouse);
  const auto with = [&](std::vector<std::string> more) {
    more.insert(more.begin(), sending.begin(), sending.end());
    return more;
  };
  const HubOptions options =
      hub_options(with({"--clickhouse-user", "user", "--clickhouse-ca", "ca.pem", "--site",
                        "harbour", "--machine", "gate"}));
  REQUIRE(options.clickhouse);
  CHECK(options.clickhouse->url == "https://ch.example");
  CHECK(options.clickhouse->ca_file == "ca.pem");
  CHECK(options.clickhouse_user_file == "user");
  CHECK(options.site == "harbour");
  CHECK(options.machine == "gate");
  CHECK(hub_exit({"--clickhouse", "https://ch.example"}).code == 2);
  for (const char* option : {"--clickhouse-user", "--clickhouse-ca", "--site", "--machine"})
    CHECK_MESSAGE(hub_exit({"--history", "a.db", option, "a"}).code == 2, option);
  CHECK(hub_exit({"--history", "a.db", "--clickhouse", "nowhere"})
            .text.starts_with("xdp-count-hub: 'nowhere' is no URL: "));
}

TEST_CASE("what is no address to listen on is refused") {
  for (const char* text : {"", "80", ":80", "127.0.0.1", "127.0.0.1:", "127.0.0.1:x",
                           "127.0.0.1:65536", "127.0.0.1:-1", "localhost:80", "::1:80",
                           "[127.0.0.1]:80", "[::1]", "unix:", "127.0.0.1:80 "})
    CHECK_MESSAGE(hub_exit({"--listen", text}).code == 2, text);
  CHECK(hub_exit({"--listen", "unix:/" + std::string(200, 'x')}).text.find("107 bytes") !=
        std::string::npos);
  CHECK(hub_exit({"--max-connections", "0"}).code == 2);
  CHECK(hub_exit({"eth0"}).code == 2);
  CHECK(hub_exit({"--version"}).code == 0);
}
