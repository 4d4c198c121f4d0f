// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "listen_address.hpp"

#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <charconv>
#include <cstdint>

namespace xdp_count {

namespace asio = boost::asio;

std::variant<ListenAddress, std::string> parse_listen_address(const std::string& text) {
  constexpr std::string_view unix_prefix = "unix:";
  if (text.starts_with(unix_prefix)) {
    const std::string path = text.substr(unix_prefix.size());
    if (path.empty()) return "'" + text + "' has no path behind unix:";
    try {
      return ListenAddress{text, asio::local::stream_protocol::endpoint(path), path};
    } catch (const boost::system::system_error&) {
      return "'" + path + "' is longer than the 107 bytes that the path of a Unix socket may have";
    }
  }
  const std::string wrong =
      "'" + text + "' is neither ADDRESS:PORT, such as 127.0.0.1:8484 or [::1]:8484, nor unix:PATH";
  const auto colon = text.rfind(':');
  if (colon == text.npos) return wrong;
  std::string host = text.substr(0, colon);
  const bool bracketed = host.starts_with('[') && host.ends_with(']');
  if (bracketed) host = host.substr(1, host.size() - 2);
  boost::system::error_code error;
  const auto address = asio::ip::make_address(host, error);
  std::uint16_t port = 0;
  const char* const end = text.data() + text.size();
  const auto [parsed, failure] = std::from_chars(text.data() + colon + 1, end, port);
  if (error || address.is_v6() != bracketed || failure != std::errc() || parsed != end ||
      colon + 1 == text.size())
    return wrong;
  return ListenAddress{text, asio::ip::tcp::endpoint(address, port), "", address.is_loopback()};
}

}  // namespace xdp_count
