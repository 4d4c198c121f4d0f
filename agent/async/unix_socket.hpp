// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once

#include <sys/socket.h>

#include <boost/asio/local/stream_protocol.hpp>

#include "base/error.hpp"
#include "base/unique_fd.hpp"

namespace xdp_count {

// The address of a path or, where the first character is 0, of an abstract name. The constructor
// throws boost::system::system_error for one that is too long.
using UnixAddress = boost::asio::local::stream_protocol::endpoint;

// `type`: SOCK_STREAM or SOCK_DGRAM, with flags. Throws std::system_error.
inline UniqueFd unix_socket(int type) {
  UniqueFd socket(::socket(AF_UNIX, type | SOCK_CLOEXEC, 0));
  if (!socket) throw_errno("making a Unix socket");
  return socket;
}

}  // namespace xdp_count
