// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// What the agent sends, as the lines of the protocol. Every result that is a whole line ends in
// "\n"; `id` is JSON text to send back, or empty.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "model/event.hpp"
#include "model/frame_decoding.hpp"
#include "model/request.hpp"
#include "model/snapshot.hpp"
#include "model/status.hpp"

namespace xdp_count {

// How long the slices are that the rows' trends are of, in seconds, the newest last; nothing where
// rows have no trend.
using Slices = std::optional<std::vector<double>>;

// A snapshot's line but for its end, which differs from client to client: the same body serves all
// who have the same selection, followed by snapshot_end() of each.
std::string encode_snapshot_body(const SnapshotHead& head, const std::vector<SourceRow>& rows,
                                 const Slices& slices = {});

// The string's capacity with so many rows, each with a trend of so many slices: enough for any
// counts.
std::size_t snapshot_body_capacity(std::size_t rows, std::size_t trend = 0,
                                   CountBy by = CountBy::source);

// `skipped`: the snapshots that this client missed since its last line.
std::string encode_snapshot_end(std::uint64_t skipped);

// The answer to `get` and `top`, and a part of the one to `list`, as of snapshot `head`. `more`:
// another part follows. `totals`: it says since when what was counted, and all totals.
std::string encode_sources(std::string_view id, const SnapshotHead& head,
                           std::span<const SourceRow> rows, const std::vector<Prefix>& missing,
                           bool more = false, const Slices& slices = {}, bool totals = false);

// The string's capacity with so many rows and addresses missing, likewise. `sums`: the rows say of
// how many sources they are the sum.
std::size_t sources_capacity(std::string_view id, std::size_t rows, std::size_t missing,
                             std::size_t trend = 0, bool sums = false,
                             CountBy by = CountBy::source);

// An event's line but for its end, which differs from client to client. `lost`: how many of its
// kind this client missed since the line of that kind before.
std::string encode_event_body(const NewSource& event, const RowKind& kind);
std::string encode_event_body(const Sample& sample, const DecodedFrame& frame);
std::string encode_event_end(std::uint64_t lost);

std::string encode_status(std::string_view id, const SnapshotHead& head, const Status& status);
std::string encode_ok(std::string_view id);
std::string encode_error(const RequestError& error);
// `lost`: events that no later line of their kind has reported.
std::string encode_goodbye(std::string_view reason, const EventLosses& lost = {});

}  // namespace xdp_count
