// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "clickhouse_url.hpp"

#include <curl/curl.h>
#include <fmt/core.h>

#include <algorithm>
#include <cctype>
#include <memory>
#include <utility>

namespace xdp_count {
namespace {

struct Ender {
  void operator()(CURLU* url) const { curl_url_cleanup(url); }
};
using Url = std::unique_ptr<CURLU, Ender>;

// Empty where it has no such part.
std::string part(const Url& url, CURLUPart which) {
  char* text = nullptr;
  if (curl_url_get(url.get(), which, &text, 0) != CURLUE_OK) return "";
  std::string copy = text;
  curl_free(text);
  return copy;
}

bool is_name(const std::string& text) {
  return std::ranges::all_of(text,
                             [](unsigned char c) { return std::isalnum(c) != 0 || c == '_'; });
}

}  // namespace

std::variant<ClickHouseServer, std::string> parse_clickhouse_url(const std::string& text) {
  const Url url(curl_url());
  const CURLUcode result = curl_url_set(url.get(), CURLUPART_URL, text.c_str(), 0);
  if (result != CURLUE_OK)
    return fmt::format("'{}' is no URL: {}; it is like https://clickhouse.example:8443", text,
                       curl_url_strerror(result));
  const std::string scheme = part(url, CURLUPART_SCHEME);
  if (scheme != "http" && scheme != "https")
    return fmt::format("'{}': ClickHouse is asked over http:// or https://", text);
  if (!part(url, CURLUPART_USER).empty() || !part(url, CURLUPART_PASSWORD).empty())
    return "a user and a password in a URL can be seen by everybody on this host: put them into a "
           "file, for --clickhouse-user";
  if (!part(url, CURLUPART_QUERY).empty() || !part(url, CURLUPART_FRAGMENT).empty())
    return fmt::format("'{}': there may be a database behind the port, and nothing else", text);
  ClickHouseServer server;
  std::string database = part(url, CURLUPART_PATH).substr(1);
  if (!is_name(database))
    return fmt::format("'{}': a database's name has letters, digits and underscores", text);
  if (!database.empty()) server.database = std::move(database);
  server.url = fmt::format("{}://{}", scheme, part(url, CURLUPART_HOST));
  if (const std::string port = part(url, CURLUPART_PORT); !port.empty()) server.url += ":" + port;
  return server;
}

}  // namespace xdp_count
