// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once

#include <doctest/doctest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <string>

#include "base/unique_fd.hpp"

namespace xdp_count::testing {

// A socket whose clients the test itself answers: for what a real agent does not say on demand.
class ScriptedAgent {
 public:
  static constexpr const char* path = "/run/scripted.sock";

  ScriptedAgent() : listening_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::string(path).copy(address.sun_path, sizeof address.sun_path - 1);
    REQUIRE(::bind(listening_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) ==
            0);
    REQUIRE(::listen(listening_.get(), 8) == 0);
  }

  // Waits for the next client, and for its request.
  UniqueFd next_client() const {
    wait_for(listening_);
    UniqueFd client(::accept4(listening_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    REQUIRE(client);
    wait_for(client);
    return client;
  }

  static void say(const UniqueFd& client, const std::string& text) {
    REQUIRE(::send(client.get(), text.data(), text.size(), MSG_NOSIGNAL) ==
            static_cast<ssize_t>(text.size()));
  }

 private:
  static void wait_for(const UniqueFd& fd) {
    constexpr int patience_ms = 30'000;
    pollfd readable{fd.get(), POLLIN, 0};
    REQUIRE(::poll(&readable, 1, patience_ms) == 1);
  }

  UniqueFd listening_;
};

}  // namespace xdp_count::testing
