// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "address_databases.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <stdexcept>

#include "base/error.hpp"
#include "base/log.hpp"
#include "base/printable.hpp"
#include "base/unique_fd.hpp"
#include "file_version.hpp"

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

UniqueFd copy_of(int file, const std::string& what) {
  UniqueFd copy(::memfd_create("mmdb", MFD_CLOEXEC));
  if (!copy) throw_errno(what);
  constexpr std::size_t most = std::size_t{1} << 20;
  while (const ssize_t size = ::sendfile(copy.get(), file, nullptr, most))
    if (size < 0) throw_errno(what);
  return copy;
}

}  // namespace

void AddressDatabases::Close::operator()(MMDB_s* database) const {
  MMDB_close(database);
  delete database;
}

AddressDatabases::AddressDatabases(const std::vector<std::string>& files) {
  for (const std::string& file : files) read(databases_.emplace_back(Database{file}));
}

void AddressDatabases::read(Database& database) {
  const std::string what = "opening the database " + database.file;
  database.version = file_version(database.file);
  // A FIFO would keep us waiting for somebody who writes.
  const UniqueFd file(::open(database.file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat status {};
  if (!file || ::fstat(file.get(), &status) != 0) throw_errno(what);
  if (!S_ISREG(status.st_mode)) throw std::runtime_error(what + ": it is no regular file");
  const UniqueFd copy = copy_of(file.get(), what);
  auto data = std::make_unique<MMDB_s>();
  const int error =
      MMDB_open(fmt::format("/proc/self/fd/{}", copy.get()).c_str(), MMDB_MODE_MMAP, data.get());
  if (error != MMDB_SUCCESS) throw std::runtime_error(what + ": " + MMDB_strerror(error));
  database.data.reset(data.release());
}

void AddressDatabases::refresh(Clock::time_point now) {
  if (now < refreshed_ + kept) return;
  refreshed_ = now;
  for (Database& database : databases_) {
    const std::string version = file_version(database.file);
    // Between two of them there may be none for a moment.
    if (version.empty() || version == database.version) continue;
    try {
      read(database);
      log::info("{}: read anew", database.file);
    } catch (const std::runtime_error& error) {
      log::warning("{}: what was read before is used still", error.what());
    }
  }
}

AddressFacts AddressDatabases::look(const Address& address) const {
  AddressFacts facts;
  for (const Database& database : databases_) {
    int error = MMDB_SUCCESS;
    const auto found = lookup(*database.data, address, error);
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
