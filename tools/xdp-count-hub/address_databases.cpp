// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "address_databases.hpp"

#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>
#include <stdexcept>

#include "base/error.hpp"
#include "base/printable.hpp"

namespace xdp_count {
namespace {

template <class... Keys>
std::optional<MMDB_entry_data_s> value_at(MMDB_entry_s entry, Keys... keys) {
  MMDB_entry_data_s data{};
  const int status = MMDB_get_value(&entry, &data, keys..., nullptr);
  return status == MMDB_SUCCESS && data.has_data ? std::optional(data) : std::nullopt;
}

// Files are somebody else's.
std::string text_in(const std::optional<MMDB_entry_data_s>& data) {
  constexpr std::size_t longest = 100;
  if (!data || data->type != MMDB_DATA_TYPE_UTF8_STRING) return {};
  return printable({data->utf8_string, std::min<std::size_t>(data->data_size, longest)});
}

MMDB_lookup_result_s lookup(const MMDB_s& database, const Address& address, int& error) {
  const auto bytes = address.bytes();
  sockaddr_storage storage{};
  if (address.family == Family::ipv4) {
    sockaddr_in ipv4{};
    ipv4.sin_family = AF_INET;
    std::memcpy(&ipv4.sin_addr, bytes.data(), sizeof ipv4.sin_addr);
    std::memcpy(&storage, &ipv4, sizeof ipv4);
  } else {
    sockaddr_in6 ipv6{};
    ipv6.sin6_family = AF_INET6;
    std::memcpy(&ipv6.sin6_addr, bytes.data(), sizeof ipv6.sin6_addr);
    std::memcpy(&storage, &ipv6, sizeof ipv6);
  }
  return MMDB_lookup_sockaddr(&database, reinterpret_cast<const sockaddr*>(&storage), &error);
}

}  // namespace

void AddressDatabases::Close::operator()(MMDB_s* database) const {
  MMDB_close(database);
  delete database;
}

AddressDatabases::AddressDatabases(const std::vector<std::string>& files) {
  for (const std::string& file : files) {
    auto database = std::make_unique<MMDB_s>();
    const int status = MMDB_open(file.c_str(), MMDB_MODE_MMAP, database.get());
    if (status == MMDB_FILE_OPEN_ERROR || status == MMDB_IO_ERROR)
      throw_errno("opening the database " + file);
    if (status != MMDB_SUCCESS)
      throw std::runtime_error("opening the database " + file + ": " + MMDB_strerror(status));
    databases_.emplace_back(database.release());
  }
}

AddressFacts AddressDatabases::look(const Address& address) const {
  AddressFacts facts;
  for (const auto& database : databases_) {
    int error = MMDB_SUCCESS;
    const auto found = lookup(*database, address, error);
    if (error != MMDB_SUCCESS || !found.found_entry) continue;
    if (facts.country.empty())
      facts.country = text_in(value_at(found.entry, "country", "iso_code"));
    const auto asn = value_at(found.entry, "autonomous_system_number");
    if (facts.asn != 0 || !asn || asn->type != MMDB_DATA_TYPE_UINT32) continue;
    facts.asn = asn->uint32;
    facts.organization = text_in(value_at(found.entry, "autonomous_system_organization"));
  }
  return facts;
}

}  // namespace xdp_count
