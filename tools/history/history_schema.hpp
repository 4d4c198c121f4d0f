// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once

#include <SQLiteCpp/Database.h>

#include <string>

namespace xdp_count {

// Of the file, as PRAGMA user_version has it. Another one is refused.
inline constexpr int history_version = 2;
// PRAGMA application_id: "xdpc".
inline constexpr int history_application = 0x78647063;

// Times are ms since the Unix epoch, by the clock of the agent's host; lengths in bytes are of
// whole frames as XDP sees them.
inline constexpr const char* history_schema = R"sql(
-- One agent's counting, from when it began: an agent that starts anew begins another one.
CREATE TABLE series (
  id INTEGER PRIMARY KEY,
  agent TEXT NOT NULL,        -- the name of its socket's file
  since INTEGER NOT NULL,     -- when counting began
  interface TEXT NOT NULL,
  -- What its rows are of: "source", "destination" or "pair", of networks of so many bits.
  counted_by TEXT NOT NULL,
  prefix4 INTEGER NOT NULL,
  prefix6 INTEGER NOT NULL,
  -- Up to which tick it is recorded, and what was counted since counting began until then.
  seq INTEGER NOT NULL,
  time INTEGER NOT NULL,
  -- Rows whose first packet came until then may be missing in the table last; 0: none is.
  forgotten INTEGER NOT NULL,
  known INTEGER NOT NULL,     -- how many rows are there
  ipv4_packets INTEGER NOT NULL, ipv4_bytes INTEGER NOT NULL,
  ipv6_packets INTEGER NOT NULL, ipv6_bytes INTEGER NOT NULL,
  arp_packets INTEGER NOT NULL, arp_bytes INTEGER NOT NULL,
  other_packets INTEGER NOT NULL, other_bytes INTEGER NOT NULL,
  malformed_packets INTEGER NOT NULL, malformed_bytes INTEGER NOT NULL,
  untracked_packets INTEGER NOT NULL, untracked_bytes INTEGER NOT NULL,
  evicted_packets INTEGER NOT NULL, evicted_bytes INTEGER NOT NULL,
  UNIQUE (agent, since)
);

-- What was counted between two ticks: behind that of begin_seq, up to that of end_seq.
CREATE TABLE bucket (
  id INTEGER PRIMARY KEY AUTOINCREMENT,  -- none is given twice, also of buckets that are gone
  series INTEGER NOT NULL REFERENCES series,
  parent INTEGER REFERENCES bucket,  -- the one that is the sum of this and others
  level INTEGER NOT NULL,            -- 0: as it was recorded; 1: of an hour; 2: of a day
  -- A clock that is set back meanwhile makes the end earlier than the beginning.
  begin_seq INTEGER NOT NULL, begin_time INTEGER NOT NULL,
  end_seq INTEGER NOT NULL, end_time INTEGER NOT NULL,
  -- How much of this time nobody recorded, or could: it is known what was counted, but not when.
  gap INTEGER NOT NULL,
  ipv4_packets INTEGER NOT NULL, ipv4_bytes INTEGER NOT NULL,
  ipv6_packets INTEGER NOT NULL, ipv6_bytes INTEGER NOT NULL,
  arp_packets INTEGER NOT NULL, arp_bytes INTEGER NOT NULL,
  other_packets INTEGER NOT NULL, other_bytes INTEGER NOT NULL,
  malformed_packets INTEGER NOT NULL, malformed_bytes INTEGER NOT NULL,
  untracked_packets INTEGER NOT NULL, untracked_bytes INTEGER NOT NULL,
  evicted_packets INTEGER NOT NULL, evicted_bytes INTEGER NOT NULL,
  -- Of these, what is in no row: rows and rest are all of ipv4 and of ipv6.
  rest_ipv4_packets INTEGER NOT NULL, rest_ipv4_bytes INTEGER NOT NULL,
  rest_ipv6_packets INTEGER NOT NULL, rest_ipv6_bytes INTEGER NOT NULL,
  rest_rows INTEGER NOT NULL,        -- how many were left out since others had more, or are gone
  rows INTEGER NOT NULL,             -- how many it has
  -- What the agent had counted in all by its end: what it and all before it add up to.
  counted_packets INTEGER NOT NULL, counted_bytes INTEGER NOT NULL
);
CREATE INDEX bucket_parts ON bucket (parent) WHERE parent IS NOT NULL;
CREATE INDEX bucket_roots ON bucket (series, level, end_seq) WHERE parent IS NULL;
CREATE INDEX bucket_with_rows ON bucket (end_time) WHERE rows > 0;

CREATE TABLE row (
  bucket INTEGER NOT NULL REFERENCES bucket,
  address TEXT NOT NULL,      -- or network
  peer TEXT NOT NULL,         -- whom it sent to, where pairs are counted; else empty
  packets INTEGER NOT NULL,
  bytes INTEGER NOT NULL,
  PRIMARY KEY (bucket, address, peer)
) WITHOUT ROWID;

-- Buckets that made room, and whose rows are still to do so: the log has no room for all at once.
CREATE TABLE gone (bucket INTEGER PRIMARY KEY);

-- What was counted for each row since counting began, when it was last recorded: what the next
-- bucket has is the difference.
CREATE TABLE last (
  series INTEGER NOT NULL REFERENCES series,
  address TEXT NOT NULL,
  peer TEXT NOT NULL,
  first INTEGER NOT NULL,     -- its first packet: a row that made room and came again has another
  packets INTEGER NOT NULL,
  bytes INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  PRIMARY KEY (series, address, peer)
) WITHOUT ROWID;

-- What people ask for. Buckets that have no parts: over any of them sums are exact, since none is
-- of what another one is of.
CREATE VIEW buckets AS
SELECT bucket.id AS bucket, agent, interface, counted_by,
  strftime('%Y-%m-%dT%H:%M:%fZ', begin_time / 1000.0, 'unixepoch') AS "from",
  strftime('%Y-%m-%dT%H:%M:%fZ', end_time / 1000.0, 'unixepoch') AS "to",
  gap / 1000.0 AS gap_seconds,
  bucket.ipv4_packets, bucket.ipv4_bytes, bucket.ipv6_packets, bucket.ipv6_bytes,
  bucket.arp_packets, bucket.arp_bytes, bucket.other_packets, bucket.other_bytes,
  bucket.malformed_packets, bucket.malformed_bytes,
  bucket.untracked_packets, bucket.untracked_bytes, bucket.evicted_packets, bucket.evicted_bytes,
  rest_ipv4_packets, rest_ipv4_bytes, rest_ipv6_packets, rest_ipv6_bytes, rest_rows, rows,
  counted_packets, counted_bytes
FROM bucket JOIN series ON series = series.id
WHERE NOT EXISTS (SELECT 1 FROM bucket AS part WHERE part.parent = bucket.id);

CREATE VIEW rows AS
SELECT agent, interface, counted_by, "from", "to", address, peer, packets, bytes
FROM buckets JOIN row ON row.bucket = buckets.bucket;
)sql";

// Throws std::runtime_error where the database at `path` is no history, or one of another version.
void check_history(SQLite::Database& database, const std::string& path);

// Where SQLite keeps what has not come into the file at `path` yet.
std::string log_of(const std::string& path);

}  // namespace xdp_count
