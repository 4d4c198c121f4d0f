// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// A client's request, as plain data.
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "model/event.hpp"
#include "model/snapshot.hpp"

namespace xdp_count {

inline constexpr std::size_t max_request_line = 64 * 1024;  // bytes, without the newline
inline constexpr std::size_t max_top = 10'000;              // rows of a snapshot or an answer
inline constexpr std::size_t max_get_addresses = 1000;
inline constexpr std::uint64_t max_every = 86'400;  // ticks between two snapshots

struct Subscription {
  Selection selection;
  std::uint64_t every = 1;                 // ticks between two snapshots; 0: none are sent
  std::array<bool, event_kinds> events{};  // by EventKind: which are sent besides

  friend bool operator==(const Subscription&, const Subscription&) = default;
};

struct GetRequest {
  std::vector<Prefix> addresses;  // as asked for
};
struct TopRequest {
  Selection selection;                 // has no trend where there is a group
  std::optional<Grouping> group = {};  // rows are the sums of these networks

  friend bool operator==(const TopRequest&, const TopRequest&) = default;
};
struct ListRequest {
  std::optional<Prefix> prefix;
  std::optional<Family> family;
  std::uint64_t min_packets = 0;
  std::uint64_t limit = std::numeric_limits<std::uint64_t>::max();  // rows: the lowest addresses
  std::uint64_t min_pps = 0;                                        // over the last interval
  std::uint64_t min_bps = 0;
  std::optional<Grouping> group = {};  // as in TopRequest
  // Rows that were counted after the tick of this number, with all totals besides; not where there
  // is a group, whose sums fall where a row makes room for another.
  std::optional<std::uint64_t> active_since = {};

  friend bool operator==(const ListRequest&, const ListRequest&) = default;
};
struct SubscribeRequest {
  Subscription subscription;
};
struct UnsubscribeRequest {};
struct StatusRequest {};

struct Request {
  std::string id;  // as JSON text, to be sent back; empty where the client gave none
  std::variant<GetRequest, TopRequest, ListRequest, SubscribeRequest, UnsubscribeRequest,
               StatusRequest>
      command;
};

// The protocol's error codes.
enum class ErrorCode { bad_json, bad_request, too_long, unknown_cmd, busy };

struct RequestError {
  std::string id;  // as in Request
  ErrorCode code;
  std::string message;  // names the field and what was expected
};

}  // namespace xdp_count
