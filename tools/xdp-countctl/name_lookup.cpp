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
namespace {

Address address_in(const sockaddr& socket_address) {
  if (socket_address.sa_family == AF_INET)
    return ntohl(reinterpret_cast<const sockaddr_in&>(socket_address).sin_addr.s_addr);
  return Address::ipv6(reinterpret_cast<const sockaddr_in6&>(socket_address).sin6_addr.s6_addr);
}

}  // namespace

std::vector<Address> addresses_of(const std::string& name) {
  addrinfo wanted{};
  wanted.ai_family = AF_UNSPEC;
  wanted.ai_socktype = SOCK_STREAM;  // else each address comes once for every type
  addrinfo* found = nullptr;
  if (const int error = ::getaddrinfo(name.c_str(), nullptr, &wanted, &found); error != 0)
    throw std::runtime_error(
        fmt::format("looking up the addresses of '{}': {}", name,
                    error == EAI_SYSTEM ? error_text(errno) : ::gai_strerror(error)));
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner(found, &::freeaddrinfo);
  std::vector<Address> addresses;
  for (const addrinfo* entry = found; entry; entry = entry->ai_next) {
    if (entry->ai_family != AF_INET && entry->ai_family != AF_INET6) continue;
    const Address address = address_in(*entry->ai_addr);
    if (std::find(addresses.begin(), addresses.end(), address) == addresses.end())
      addresses.push_back(address);
  }
  return addresses;
}

}  // namespace xdp_count
