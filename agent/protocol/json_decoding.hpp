// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// What the agent sends, from the lines of the protocol: the client's side of json_encoding.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "model/event.hpp"
#include "model/frame_decoding.hpp"
#include "model/snapshot.hpp"
#include "model/status.hpp"

namespace xdp_count {

struct SnapshotMessage {
  SnapshotHead head;
  std::vector<SourceRow> rows;
  std::vector<double> slices;  // of the rows' trends: how long each is, in seconds, the newest last
  std::uint64_t skipped = 0;
};
struct SourcesMessage {
  SnapshotHead head;    // as far as an answer of sources has it
  bool totals = false;  // it says since when what was counted, and all totals
  std::vector<SourceRow> rows;
  std::vector<double> slices;  // as in a snapshot
  std::vector<Prefix> missing;
  bool more = false;
};
struct StatusMessage {
  SnapshotHead head;  // as far as a status has it
  Status status;
};
struct EventMessage {
  EventKind kind = EventKind::new_source;
  std::int64_t time = 0;  // µs since the Unix epoch
  DecodedFrame frame;     // of a new source, its address alone: see RowKind
  std::uint64_t frame_bytes = 0;
  std::vector<std::uint8_t> head;  // the frame's first bytes
  std::uint64_t lost = 0;          // of the kind, since the one before
};
struct OkMessage {};
struct ErrorMessage {
  std::string code;
  std::string message;

  bool busy() const;  // the agent serves as many clients as it may
};
struct GoodbyeMessage {
  std::string reason;
};
// A message of a type that this version does not know: a newer agent may send such lines.
struct UnknownMessage {
  std::string type;
};

using Message = std::variant<SnapshotMessage, SourcesMessage, StatusMessage, EventMessage,
                             OkMessage, ErrorMessage, GoodbyeMessage, UnknownMessage>;

// `line` without its newline. Throws std::runtime_error when it is no message of the protocol.
Message decode_message(std::string_view line);

// Every value of a message with its name, those of inner objects as "outer.name", in the message's
// order; values as their JSON text, strings without quotes. Throws as decode_message() does.
std::vector<std::pair<std::string, std::string>> flat_fields(std::string_view line);

}  // namespace xdp_count
