// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// A hub on a Unix socket, asked by hand: what a well-behaved library would not send is of interest
// too.
#pragma once

#include <doctest/doctest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <chrono>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "agent_fixture.hpp"
#include "base/unique_fd.hpp"

namespace xdp_count::testing {

inline constexpr const char* hub_socket = "/run/hub.sock";
inline const std::string get_metrics = "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n";

struct Hub : Process {
  explicit Hub(std::vector<std::string> arguments = {}) : Process(command(std::move(arguments))) {}

 private:
  static std::vector<std::string> command(std::vector<std::string> arguments) {
    for (const char* word : {hub_unix, "--listen", HUB}) arguments.insert(arguments.begin(), word);
    return arguments;
  }
  static constexpr const char* hub_unix = "unix:/run/hub.sock";
};

struct HttpAnswer {
  int status = 0;
  std::string head;
  std::string body;
};

class HttpClient {
 public:
  static constexpr std::chrono::seconds patience{20};

  // Waits until the hub listens.
  HttpClient() {
    const auto end = std::chrono::steady_clock::now() + patience;
    do {
      socket_.reset(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
      REQUIRE(socket_);
      sockaddr_un address{};
      address.sun_family = AF_UNIX;
      std::string(hub_socket).copy(address.sun_path, sizeof address.sun_path - 1);
      if (::connect(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) ==
          0)
        return;
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    } while (std::chrono::steady_clock::now() < end);
    FAIL("nobody listens at ", hub_socket);
  }

  // Whether all of it was taken.
  bool send(std::string_view text) const {
    return ::send(socket_.get(), text.data(), text.size(), MSG_NOSIGNAL) == std::ssize(text);
  }

  // The next answer; of a HEAD it is to be without a body. Status 0: the connection was closed.
  HttpAnswer next(bool has_body = true) {
    HttpAnswer answer;
    const auto end_of_head = receive_until([&] { return buffer_.find("\r\n\r\n"); });
    if (end_of_head == buffer_.npos) return answer;
    answer.head = buffer_.substr(0, end_of_head + 4);
    buffer_.erase(0, end_of_head + 4);
    answer.status = std::stoi(answer.head.substr(answer.head.find(' ')));
    if (!has_body) return answer;
    const std::string field = "Content-Length: ";
    const std::size_t length =
        std::stoul(answer.head.substr(answer.head.find(field) + field.size()));
    receive_until([&] { return buffer_.size() >= length ? 0 : buffer_.npos; });
    answer.body = buffer_.substr(0, length);
    buffer_.erase(0, length);
    return answer;
  }

  // Whether this has come within patience, in all that was said since the last answer.
  bool hears(const std::string& text) {
    const auto end = std::chrono::steady_clock::now() + patience;
    const auto found = [&] {
      const bool is_over = std::chrono::steady_clock::now() > end;
      return is_over ? buffer_.size() : buffer_.find(text);
    };
    receive_until(found);
    return contains(buffer_, text);
  }
  const std::string& heard() const { return buffer_; }

  // Whether the hub closes the connection within patience, all that it has said before being read.
  bool is_closed() {
    return receive_until([&] { return buffer_.npos; }) == buffer_.npos && closed_;
  }

  int descriptor() const { return socket_.get(); }

 private:
  template <class Found>
  std::size_t receive_until(const Found& found) {
    for (;;) {
      if (const std::size_t at = found(); at != buffer_.npos || closed_) return at;
      pollfd readable{socket_.get(), POLLIN, 0};
      if (::poll(&readable, 1, static_cast<int>(std::chrono::milliseconds(patience).count())) != 1)
        return buffer_.npos;
      char bytes[65536];
      const ssize_t size = ::recv(socket_.get(), bytes, sizeof bytes, 0);
      if (size <= 0)
        closed_ = true;
      else
        buffer_.append(bytes, static_cast<std::size_t>(size));
    }
  }

  UniqueFd socket_;
  std::string buffer_;
  bool closed_ = false;
};

inline HttpAnswer answer_to(const std::string& request) {
  HttpClient client;
  REQUIRE(client.send(request));
  return client.next();
}

// The samples in a text of metrics, as Prometheus' own library reads it.
using Samples = std::map<std::string, double>;
inline Samples samples_in(const std::string& text, const std::vector<std::string>& options = {}) {
  std::ofstream("/run/metrics.txt") << text;
  std::vector<std::string> command{"/bin/sh", "-c", "exec \"$@\" </run/metrics.txt", "sh",
                                   PYTHON,    "-B", SCRIPTS "/read_metrics.py"};
  command.insert(command.end(), options.begin(), options.end());
  Process reader(command);
  REQUIRE_MESSAGE(reader.wait() == 0, reader.standard_error());
  return nlohmann::json::parse(reader.standard_output()).get<Samples>();
}

inline Samples metrics() {
  const HttpAnswer answer = answer_to(get_metrics);
  CHECK(answer.status == 200);
  return samples_in(answer.body);
}

// Those of the hub once `holds` says so of them.
template <class Holds>
Samples metrics_when(const Holds& holds) {
  const auto end = std::chrono::steady_clock::now() + HttpClient::patience;
  for (;;) {
    Samples samples = metrics();
    if (holds(samples)) return samples;
    if (std::chrono::steady_clock::now() > end) FAIL("the metrics are not what they should be");
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
}

inline Samples metrics_with(const std::string& series, double value) {
  return metrics_when([&](const Samples& samples) {
    const auto it = samples.find(series);
    return it != samples.end() && it->second == value;
  });
}

inline const std::string up0 = "xdp_count_agent_up,interface=count0";
inline const std::string up1 = "xdp_count_agent_up,interface=count1";
inline const std::string ipv4_frames0 = "xdp_count_frames_total,class=ipv4,interface=count0";

}  // namespace xdp_count::testing
