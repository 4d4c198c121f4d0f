-- One query for each promise. Each finds what breaks it: no row is what there should be. They run on
-- ClickHouse 18.16 and later. Of what ttl.sql is about to remove, or has removed, they ask nothing.

-- Each bucket is whole: its rows and its rest are all packets of their family, and it has as many
-- rows as it says.
SELECT 'not conserved' AS broken, site, machine, agent, since, level, end_seq,
  sum(said_rows) AS rows_said, sum(found_rows) AS rows_found,
  sum(ipv4_packets) AS ipv4_packets_said, sum(ipv4_packets_found) AS ipv4_packets_found,
  sum(ipv6_packets) AS ipv6_packets_said, sum(ipv6_packets_found) AS ipv6_packets_found,
  sum(ip_bytes) AS bytes_said, sum(bytes_found) AS bytes_found
FROM (
  SELECT site, machine, agent, since, level, end_seq, toUInt8(1) AS is_bucket,
    toInt64(rows) AS said_rows, toInt64(0) AS found_rows,
    toInt64(ipv4_packets) - toInt64(rest_ipv4_packets) AS ipv4_packets, toInt64(0) AS ipv4_packets_found,
    toInt64(ipv6_packets) - toInt64(rest_ipv6_packets) AS ipv6_packets, toInt64(0) AS ipv6_packets_found,
    toInt64(ipv4_bytes + ipv6_bytes) - toInt64(rest_ipv4_bytes + rest_ipv6_bytes) AS ip_bytes,
    toInt64(0) AS bytes_found
  FROM xdp_count.bucket FINAL
  WHERE (level != 0 OR time > now() - INTERVAL 29 DAY) AND (level != 1 OR time > now() - INTERVAL 399 DAY)
  UNION ALL
  SELECT site, machine, agent, since, level, end_seq, toUInt8(0),
    toInt64(0), toInt64(count()),
    toInt64(0), toInt64(sumIf(packets, position(address, ':') = 0)),
    toInt64(0), toInt64(sumIf(packets, position(address, ':') > 0)),
    toInt64(0), toInt64(sum(bytes))
  FROM xdp_count.row FINAL
  GROUP BY site, machine, agent, since, level, end_seq
)
GROUP BY site, machine, agent, since, level, end_seq
HAVING max(is_bucket) = 1 AND (rows_said != rows_found OR ipv4_packets_said != ipv4_packets_found
  OR ipv6_packets_said != ipv6_packets_found OR bytes_said != bytes_found)
ORDER BY site, machine, agent, since, level, end_seq;

-- No row is without its bucket, but for those of which the bucket is on its way: rows are sent before
-- their buckets, and these in order.
SELECT 'rows without a bucket' AS broken, site, machine, agent, since, level, end_seq, count() AS rows
FROM xdp_count.row FINAL
GLOBAL ANY INNER JOIN (
  SELECT site, machine, agent, since, level, max(end_seq) AS sent_until FROM xdp_count.bucket
  GROUP BY site, machine, agent, since, level
) AS sent USING (site, machine, agent, since, level)
WHERE end_seq < sent_until
  AND (site, machine, agent, since, level, end_seq) GLOBAL NOT IN (
    SELECT site, machine, agent, since, level, end_seq FROM xdp_count.bucket)
  AND (level != 0 OR time > now() - INTERVAL 29 DAY) AND (level != 1 OR time > now() - INTERVAL 399 DAY)
GROUP BY site, machine, agent, since, level, end_seq
ORDER BY site, machine, agent, since, level, end_seq;

-- No tick is missing, and none is there twice: the first bucket of an agent begins with its counting,
-- and each of the others where the one before it ended. Of a counting that is older than minutes, or
-- hours, are kept, days alone tell how it began.
SELECT 'ticks missing or twice' AS broken, site, machine, agent, since, level,
  arrayFilter(pair -> pair.1 != pair.2, arrayMap((end, begin) -> (end, begin), ends, begins)) AS between
FROM (
  SELECT site, machine, agent, since, level,
    arrayPushFront(arrayPopBack(groupArray(end_seq)),
      if((level = 0 AND since < 1000 * toInt64(toUnixTimestamp(now() - INTERVAL 29 DAY)))
          OR (level = 1 AND since < 1000 * toInt64(toUnixTimestamp(now() - INTERVAL 399 DAY))),
        min(begin_seq), toUInt64(0))) AS ends,
    groupArray(begin_seq) AS begins
  FROM (
    SELECT * FROM xdp_count.bucket FINAL
    WHERE (level != 0 OR time > now() - INTERVAL 29 DAY) AND (level != 1 OR time > now() - INTERVAL 399 DAY)
    ORDER BY site, machine, agent, since, level, end_seq
  )
  GROUP BY site, machine, agent, since, level
)
WHERE notEmpty(between)
ORDER BY site, machine, agent, since, level;

-- What is counted is what the agent says: all buckets that end or begin with a tick, of whatever
-- level, tell the same count of all frames until then, which is none at the beginning. So any sum of
-- buckets in a row, and each hour and day, is what the agent itself has counted meanwhile.
SELECT 'counts differ' AS broken, site, machine, agent, since, seq,
  min(packets) AS least_packets, max(packets) AS most_packets,
  min(bytes) AS least_bytes, max(bytes) AS most_bytes
FROM (
  SELECT site, machine, agent, since, end_seq AS seq,
    toInt64(counted_packets) AS packets, toInt64(counted_bytes) AS bytes
  FROM xdp_count.bucket FINAL
  UNION ALL
  SELECT site, machine, agent, since, begin_seq AS seq,
    toInt64(counted_packets) - toInt64(ipv4_packets + ipv6_packets + arp_packets + other_packets
      + malformed_packets) AS packets,
    toInt64(counted_bytes) - toInt64(ipv4_bytes + ipv6_bytes + arp_bytes + other_bytes
      + malformed_bytes) AS bytes
  FROM xdp_count.bucket FINAL
)
GROUP BY site, machine, agent, since, seq
HAVING least_packets != most_packets OR least_bytes != most_bytes
  OR (seq = 0 AND (most_packets != 0 OR most_bytes != 0))
ORDER BY site, machine, agent, since, seq;

-- Hours and days are there: what was recorded two days ago is in them, but of machines that have sent
-- nothing since, or begun to again in the last hours. Hubs make them as they record.
SELECT 'not summed up' AS broken, site, machine, agent, since,
  maxIf(end_seq, level = 0 AND time < now() - INTERVAL 2 DAY) AS recorded_until,
  maxIf(end_seq, level = 1) AS hours_until, maxIf(end_seq, level = 2) AS days_until
FROM xdp_count.bucket
WHERE (site, machine) GLOBAL IN (
  SELECT site, machine FROM xdp_count.bucket WHERE time > now() - INTERVAL 1 DAY AND time < now() - INTERVAL 3 HOUR)
GROUP BY site, machine, agent, since
HAVING hours_until < recorded_until OR days_until < recorded_until
ORDER BY site, machine, agent, since;
