// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once

#include <curl/curl.h>

#include <cstdint>
#include <memory>
#include <stop_token>
#include <string>

#include "history/gzip_text.hpp"

namespace xdp_count {

// Where a ClickHouse answers over HTTP, and who asks.
struct ClickHouseServer {
  std::string url;  // http:// or https://, a host, and a port unless it is 80 or 443
  std::string database = "xdp_count";
  std::string user = {};  // empty: the server's default user
  std::string password = {};
  std::string ca_file = {};  // certificates to trust; empty: those that the system does
};

// Sends rows to a ClickHouse and asks it, with its HTTP interface. Used from one thread. Both throw
// std::runtime_error where the server says no, is not there, or says nothing for a minute.
class ClickHouseClient {
 public:
  explicit ClickHouseClient(ClickHouseServer server);

  // Adds rows to a table: lines of JSON objects with its columns as keys. Returns when the server
  // says that it has them. Where this throws it may have them nevertheless, or a part of them.
  void insert(const std::string& table, const GzipText& lines, const std::stop_token& stop);

  // The number that a query answers.
  std::uint64_t number(const std::string& query, const std::stop_token& stop);

  const std::string& url() const { return server_.url; }

 private:
  struct Ender {
    void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
  };

  [[noreturn]] void fail(const std::string& what, const std::string& reason) const;
  std::string post(const std::string& parameters, const std::string& body, bool is_gzip,
                   const std::string& what, const std::stop_token& stop);

  ClickHouseServer server_;
  std::unique_ptr<CURL, Ender> handle_;
};

// As a literal of its SQL.
std::string clickhouse_text(const std::string& text);

}  // namespace xdp_count
