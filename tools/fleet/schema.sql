-- What hubs send to ClickHouse (xdp-count-hub --clickhouse): every bucket of their histories, and its
-- rows. Runs on ClickHouse 18.16 and later.
--
-- A hub that was not told that its buckets have arrived sends them again. Both tables therefore keep
-- one of rows with the same ORDER BY, when they merge their parts: queries say FINAL to see it so at
-- any time. A materialized view that sums up what is inserted would count twice what came twice, so
-- hours and days are no such views: hubs send them as buckets of their own, of level 1 and 2, and a
-- query is of one level.

CREATE DATABASE IF NOT EXISTS xdp_count;

-- What an agent counted between two of its ticks: behind begin_seq, up to end_seq.
CREATE TABLE IF NOT EXISTS xdp_count.bucket (
  site String,
  machine String,
  agent String,            -- the name of its socket's file, mostly that of its interface
  since Int64,             -- when its counting began: ms since the Unix epoch, as all that is Int64
  level UInt8,             -- 0: as it was recorded; 1: of an hour; 2: of a day
  begin_seq UInt64,
  end_seq UInt64,
  begin_time Int64,
  end_time Int64,
  time DateTime('UTC'),    -- end_time in seconds
  gap Int64,               -- ms of this time in which nobody recorded
  interface String,
  counted_by String,       -- what a row is of: "source", "destination" or "pair"
  prefix4 UInt8,           -- of networks of so many bits
  prefix6 UInt8,
  -- Lengths in bytes are of whole frames. These five are all frames.
  ipv4_packets UInt64, ipv4_bytes UInt64,
  ipv6_packets UInt64, ipv6_bytes UInt64,
  arp_packets UInt64, arp_bytes UInt64,
  other_packets UInt64, other_bytes UInt64,
  malformed_packets UInt64, malformed_bytes UInt64,
  -- Of those of IPv4 and IPv6: what had no room for a row, and what was counted of rows that made
  -- room for others.
  untracked_packets UInt64, untracked_bytes UInt64,
  evicted_packets UInt64, evicted_bytes UInt64,
  -- What is in no row of the bucket. Rows and rest are all of IPv4 and IPv6.
  rest_ipv4_packets UInt64, rest_ipv4_bytes UInt64,
  rest_ipv6_packets UInt64, rest_ipv6_bytes UInt64,
  rest_rows UInt64,        -- how many rows were left out
  rows UInt64,             -- how many there are
  -- All frames that the agent has counted from its beginning until end_seq.
  counted_packets UInt64, counted_bytes UInt64
) ENGINE = ReplacingMergeTree
PARTITION BY (level, toStartOfMonth(time))
ORDER BY (site, machine, agent, since, level, end_seq);

-- In the order of the minute, so that a question about one reads no others; in it of the address, so
-- that one address is found by reading little. Minutes can be dropped by the day.
CREATE TABLE IF NOT EXISTS xdp_count.row (
  site String,
  machine String,
  agent String,
  since Int64,
  level UInt8,
  end_seq UInt64,
  time DateTime('UTC'),
  address String,          -- "192.0.2.1", "2001:db8::1", or a network: "192.0.2.0/24"
  peer String,             -- whom it sent to, where pairs are counted; else empty
  packets UInt64,
  bytes UInt64
) ENGINE = ReplacingMergeTree
PARTITION BY (level, if(level = 0, toDate(time), toStartOfMonth(time)))
ORDER BY (toStartOfMinute(time), address, peer, site, machine, agent, since, level, end_seq);
