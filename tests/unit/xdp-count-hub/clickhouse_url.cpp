// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "clickhouse_url.hpp"

#include <doctest/doctest.h>

using namespace xdp_count;

namespace {

std::string parsed_url(const std::string& text) {
  const auto result = parse_clickhouse_url(text);
  if (const auto* error = std::get_if<std::string>(&result)) return *error;
  const auto& server = std::get<ClickHouseServer>(result);
  return server.url + " " + server.database;
}

}  // namespace

TEST_CASE("a ClickHouse is a scheme, a host, perhaps a port, and perhaps a database") {
  CHECK(parsed_url("http://localhost:8123") == "http://localhost:8123 xdp_count");
  CHECK(parsed_url("http://localhost:8123/") == "http://localhost:8123 xdp_count");
  CHECK(parsed_url("https://ch.example/fleet_2") == "https://ch.example fleet_2");
  CHECK(parsed_url("https://[2001:db8::1]:8443/a") == "https://[2001:db8::1]:8443 a");
}

TEST_CASE("what is no ClickHouse is refused with a reason") {
  CHECK(parsed_url("").starts_with("'' is no URL: "));
  CHECK(parsed_url("localhost:8123").starts_with("'localhost:8123' is no URL: "));
  CHECK(parsed_url("ftp://localhost").ends_with("is asked over http:// or https://"));
  CHECK(parsed_url("http://localhost:99999").starts_with("'http://localhost:99999' is no URL: "));
  CHECK(parsed_url("http://root:secret@localhost").starts_with("a user and a password in a URL"));
  CHECK(parsed_url("http://root@localhost").starts_with("a user and a password in a URL"));
  CHECK(parsed_url("http://localhost/?user=root").ends_with("and nothing else"));
  CHECK(parsed_url("http://localhost/a#b").ends_with("and nothing else"));
  CHECK(parsed_url("http://localhost/a/b").ends_with("has letters, digits and underscores"));
  CHECK(parsed_url("http://localhost/a%20b").ends_with("has letters, digits and underscores"));
}
