// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "clickhouse_client.hpp"

#include <fmt/core.h>

#include <array>
#include <new>
#include <stdexcept>
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
  constexpr long connect_seconds = 10;
  constexpr long seconds = 300;
  CURL* const handle = handle_.get();
  const auto set = [handle](CURLoption option, auto value) {
    if (curl_easy_setopt(handle, option, value) != CURLE_OK) throw std::bad_alloc();
  };
  curl_easy_reset(handle);  // keeps its connection
  const std::string url = fmt::format(
      "{}/?database={}&insert_distributed_sync=1&query=INSERT%20INTO%20{}%20FORMAT%20JSONEachRow",
      server_.url, server_.database, table);
  Headers headers;
  headers.add("Content-Encoding: gzip");
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
  set(CURLOPT_POSTFIELDS, lines.bytes().data());
  set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(lines.bytes().size()));
  set(CURLOPT_WRITEFUNCTION, &keep_beginning);
  set(CURLOPT_WRITEDATA, &answer);
  set(CURLOPT_XFERINFOFUNCTION, &is_stopped);
  set(CURLOPT_XFERINFODATA, &stop);
  set(CURLOPT_NOPROGRESS, 0L);
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_CONNECTTIMEOUT, connect_seconds);
  set(CURLOPT_TIMEOUT, seconds);
  set(CURLOPT_ERRORBUFFER, error.data());
  if (!server_.ca_file.empty()) set(CURLOPT_CAINFO, server_.ca_file.c_str());
  const CURLcode result = curl_easy_perform(handle);
  const auto fail = [&](const std::string& reason) {
    throw std::runtime_error(
        fmt::format("{}: inserting into {}.{}: {}", server_.url, server_.database, table, reason));
  };
  if (result != CURLE_OK) fail(error.front() == '\0' ? curl_easy_strerror(result) : error.data());
  long status = 0;
  curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &status);
  constexpr long ok = 200;
  // What goes wrong after a server began to answer is in the text of its answer.
  if (status != ok || !answer.empty())
    fail(answer.empty() ? fmt::format("HTTP status {}", status) : first_line(answer));
}

}  // namespace xdp_count
