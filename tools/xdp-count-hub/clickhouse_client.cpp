// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "clickhouse_client.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <new>
#include <stdexcept>
#include <system_error>
#include <utility>

namespace xdp_count {
namespace {

struct Headers {
  curl_slist* list = nullptr;

  Headers() = default;
  ~Headers() { curl_slist_free_all(list); }
  Headers(const Headers&) = delete;
  Headers& operator=(const Headers&) = delete;

  void add(const std::string& header) {
    curl_slist* const longer = curl_slist_append(list, header.c_str());
    if (longer == nullptr) throw std::bad_alloc();
    list = longer;
  }
};

// Of an answer, which is of no use but to be shown, the beginning.
std::size_t keep_beginning(char* data, std::size_t, std::size_t length, void* answer) {
  constexpr std::size_t most = 500;
  auto& text = *static_cast<std::string*>(answer);
  text.append(data, std::min(length, most - std::min(text.size(), most)));
  return length;
}

int is_stopped(void* stop, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return static_cast<const std::stop_token*>(stop)->stop_requested() ? 1 : 0;
}

std::string first_line(const std::string& text) {
  return text.substr(0, text.find('\n'));
}

}  // namespace

ClickHouseClient::ClickHouseClient(ClickHouseServer server)
    : server_(std::move(server)), handle_(curl_easy_init()) {
  if (!handle_) throw std::bad_alloc();
}

void ClickHouseClient::insert(const std::string& table, const GzipText& lines,
                              const std::stop_token& stop) {
  const std::string answer =
      post("&insert_distributed_sync=1&query=INSERT%20INTO%20" + table + "%20FORMAT%20JSONEachRow",
           lines.bytes(), true, "inserting into " + table, stop);
  // What goes wrong after a server began to answer is in the text of its answer.
  if (!answer.empty()) fail("inserting into " + table, first_line(answer));
}

std::uint64_t ClickHouseClient::number(const std::string& query, const std::stop_token& stop) {
  const std::string answer = first_line(post("", query, false, "asking it", stop));
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(answer.data(), answer.data() + answer.size(), value);
  if (error != std::errc{} || end != answer.data() + answer.size())
    fail("asking it", "it answers '" + answer + "', which is no number");
  return value;
}

void ClickHouseClient::fail(const std::string& what, const std::string& reason) const {
  throw std::runtime_error(
      fmt::format("{}, database {}: {}: {}", server_.url, server_.database, what, reason));
}

// What it answers to a question that went well.
std::string ClickHouseClient::post(const std::string& parameters, const std::string& body,
                                   bool is_gzip, const std::string& what,
                                   const std::stop_token& stop) {
  constexpr long connect_seconds = 10;
  constexpr long silent_seconds = 600;  // a server that is busy takes some before it confirms
  constexpr long probe_seconds = 60;    // of a connection, whether there is anybody at its end
  CURL* const handle = handle_.get();
  const auto set = [handle](CURLoption option, auto value) {
    if (curl_easy_setopt(handle, option, value) != CURLE_OK) throw std::bad_alloc();
  };
  curl_easy_reset(handle);  // keeps its connection
  const std::string url =
      fmt::format("{}/?database={}{}", server_.url, server_.database, parameters);
  Headers headers;
  if (is_gzip) headers.add("Content-Encoding: gzip");
  headers.add("Expect:");  // or libcurl waits for leave to send
  if (!server_.user.empty()) {
    headers.add("X-ClickHouse-User: " + server_.user);
    headers.add("X-ClickHouse-Key: " + server_.password);
  }
  std::string answer;
  std::array<char, CURL_ERROR_SIZE> error{};
  set(CURLOPT_URL, url.c_str());
  set(CURLOPT_PROTOCOLS_STR, "http,https");
  set(CURLOPT_HTTPHEADER, headers.list);
  set(CURLOPT_POSTFIELDS, body.data());
  set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
  set(CURLOPT_WRITEFUNCTION, &keep_beginning);
  set(CURLOPT_WRITEDATA, &answer);
  set(CURLOPT_XFERINFOFUNCTION, &is_stopped);
  set(CURLOPT_XFERINFODATA, &stop);
  set(CURLOPT_NOPROGRESS, 0L);
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_QUICK_EXIT, 1L);  // a name that is being looked up holds up no end
  set(CURLOPT_CONNECTTIMEOUT, connect_seconds);
  set(CURLOPT_TCP_KEEPALIVE, 1L);
  set(CURLOPT_TCP_KEEPIDLE, probe_seconds);
  // Not of the whole: a slow line may take long for what waited long.
  set(CURLOPT_LOW_SPEED_LIMIT, 1L);
  set(CURLOPT_LOW_SPEED_TIME, silent_seconds);
  set(CURLOPT_ERRORBUFFER, error.data());
  if (!server_.ca_file.empty()) set(CURLOPT_CAINFO, server_.ca_file.c_str());
  const CURLcode result = curl_easy_perform(handle);
  if (result != CURLE_OK)
    fail(what, error.front() == '\0' ? curl_easy_strerror(result) : error.data());
  long status = 0;
  curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &status);
  constexpr long ok = 200;
  if (status != ok)
    fail(what, answer.empty() ? fmt::format("HTTP status {}", status) : first_line(answer));
  return answer;
}

std::string clickhouse_text(const std::string& text) {
  std::string literal = "'";
  for (const char c : text) {
    if (c == '\\' || c == '\'') literal += '\\';
    literal += c;
  }
  return literal + '\'';
}

}  // namespace xdp_count
