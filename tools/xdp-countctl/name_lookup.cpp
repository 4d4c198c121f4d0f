// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "name_lookup.hpp"

#include <arpa/inet.h>
#include <fmt/core.h>
#include <netdb.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <stdexcept>

#include "base/error.hpp"

namespace xdp_count {

std::vector<std::uint32_t> addresses_of(const std::string& name) {
  addrinfo wanted{};
  wanted.ai_family = AF_INET;
  wanted.ai_socktype = SOCK_STREAM;  // else each address comes once for every type
  addrinfo* found = nullptr;
  if (const int error = ::getaddrinfo(name.c_str(), nullptr, &wanted, &found); error != 0)
    throw std::runtime_error(
        fmt::format("looking up the IPv4 addresses of '{}': {}", name,
                    error == EAI_SYSTEM ? error_text(errno) : ::gai_strerror(error)));
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner(found, &::freeaddrinfo);
  std::vector<std::uint32_t> addresses;
  for (const addrinfo* entry = found; entry; entry = entry->ai_next) {
    const auto* address = reinterpret_cast<const sockaddr_in*>(entry->ai_addr);
    const std::uint32_t value = ntohl(address->sin_addr.s_addr);
    if (std::find(addresses.begin(), addresses.end(), value) == addresses.end())
      addresses.push_back(value);
  }
  return addresses;
}

}  // namespace xdp_count
