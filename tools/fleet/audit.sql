-- One query for each promise. Each finds what breaks it: no row is what there should be. They run on
-- ClickHouse 18.16 and later.

-- Each bucket is whole: its rows and its rest are all packets of their family, and it has as many
-- rows as it says. A bucket whose rows did not arrive, or rows without a bucket, are found too.
SELECT 'not conserved' AS broken, site, machine, agent, since, level, end_seq,
  sum(said_rows) AS rows_said, sum(found_rows) AS rows_found,
  sum(ipv4_packets) AS ipv4_packets_said, sum(ipv4_packets_found) AS ipv4_packets_found,
  sum(ipv6_packets) AS ipv6_packets_said, sum(ipv6_packets_found) AS ipv6_packets_found,
  sum(ip_bytes) AS bytes_said, sum(bytes_found) AS bytes_found
FROM (
  SELECT site, machine, agent, since, level, end_seq,
    toInt64(rows) AS said_rows, toInt64(0) AS found_rows,
    toInt64(ipv4_packets) - toInt64(rest_ipv4_packets) AS ipv4_packets, toInt64(0) AS ipv4_packets_found,
    toInt64(ipv6_packets) - toInt64(rest_ipv6_packets) AS ipv6_packets, toInt64(0) AS ipv6_packets_found,
    toInt64(ipv4_bytes + ipv6_bytes) - toInt64(rest_ipv4_bytes + rest_ipv6_bytes) AS ip_bytes,
    toInt64(0) AS bytes_found
  FROM xdp_count.bucket FINAL
  UNION ALL
  SELECT site, machine, agent, since, level, end_seq,
    toInt64(0), toInt64(count()),
    toInt64(0), toInt64(sumIf(packets, position(address, ':') = 0)),
    toInt64(0), toInt64(sumIf(packets, position(address, ':') > 0)),
    toInt64(0), toInt64(sum(bytes))
  FROM xdp_count.row FINAL
  GROUP BY site, machine, agent, since, level, end_seq
)
GROUP BY site, machine, agent, since, level, end_seq
HAVING rows_said != rows_found OR ipv4_packets_said != ipv4_packets_found
  OR ipv6_packets_said != ipv6_packets_found OR bytes_said != bytes_found
ORDER BY site, machine, agent, since, level, end_seq;

-- No tick is missing, and none is there twice: each bucket begins where the one before it ended. The
-- first of an agent begins with its counting, unless what was then is gone.
SELECT 'ticks missing or twice' AS broken, site, machine, agent, since, level,
  arrayFilter(pair -> pair.1 != pair.2, arrayMap((end, begin) -> (end, begin),
    arrayPopBack(ends), arrayPopFront(begins))) AS between
FROM (
  SELECT site, machine, agent, since, level,
    groupArray(begin_seq) AS begins, groupArray(end_seq) AS ends
  FROM (SELECT * FROM xdp_count.bucket FINAL ORDER BY site, machine, agent, since, level, end_seq)
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
