// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once

#include <boost/asio/generic/stream_protocol.hpp>
#include <string>
#include <variant>

namespace xdp_count {

// Where a server listens.
struct ListenAddress {
  std::string text;  // as it was given
  boost::asio::generic::stream_protocol::endpoint endpoint;
  std::string unix_path = {};  // empty: it is an IP address
  bool is_loopback = true;     // as a Unix socket is: nobody else's machine gets there
};

// "192.0.2.1:9100", "[2001:db8::1]:9100" or "unix:/run/hub.sock"; else what is wrong with it.
std::variant<ListenAddress, std::string> parse_listen_address(const std::string& text);

}  // namespace xdp_count
