-- The usual questions. They run on ClickHouse 18.16 and later; times are UTC. Whoever asks for a long
-- time writes level = 1, hours, or level = 2, days, instead of 0: what is recorded of each second,
-- minute or whatever the hubs' --history-interval is. A packet that several agents see counts in each
-- of them: choose those of one site, or of agents that see different ones.

-- Who sent most, at 03:12?
SELECT address, sum(packets) AS packets, sum(bytes) AS bytes, uniqExact(site, machine, agent) AS agents
FROM xdp_count.row FINAL
WHERE level = 0 AND time > toDateTime('2026-11-20 03:12:00', 'UTC') AND time <= toDateTime('2026-11-20 03:13:00', 'UTC')
GROUP BY address ORDER BY packets DESC, address LIMIT 10;

-- To which machines did one address send, and when?
SELECT site, machine, agent, toStartOfHour(time) AS hour, sum(packets) AS packets, sum(bytes) AS bytes
FROM xdp_count.row FINAL
WHERE level = 0 AND address = '198.51.100.7' AND time > toDateTime('2026-11-20 00:00:00', 'UTC') AND time <= toDateTime('2026-11-21 00:00:00', 'UTC')
GROUP BY site, machine, agent, hour ORDER BY hour, site, machine, agent;

-- How much came to each machine, and how much of that is in no row?
SELECT site, machine, agent,
  sum(ipv4_packets + ipv6_packets + arp_packets + other_packets + malformed_packets) AS packets,
  sum(ipv4_bytes + ipv6_bytes + arp_bytes + other_bytes + malformed_bytes) AS bytes,
  sum(rest_ipv4_packets + rest_ipv6_packets) AS packets_in_no_row
FROM xdp_count.bucket FINAL
WHERE level = 0 AND time > toDateTime('2026-11-20 00:00:00', 'UTC') AND time <= toDateTime('2026-11-21 00:00:00', 'UTC')
GROUP BY site, machine, agent ORDER BY packets DESC;

-- Which networks of 24 bits?
SELECT IPv4NumToString(bitAnd(IPv4StringToNum(address), 4294967040)) AS network,
  sum(packets) AS packets, sum(bytes) AS bytes
FROM xdp_count.row FINAL
WHERE level = 0 AND time > toDateTime('2026-11-20 00:00:00', 'UTC') AND time <= toDateTime('2026-11-21 00:00:00', 'UTC')
  AND position(address, ':') = 0 AND position(address, '/') = 0
GROUP BY network ORDER BY packets DESC, network LIMIT 10;

-- When did it begin, where, and from how many addresses?
SELECT time, site, machine, agent, ipv4_packets + ipv6_packets AS packets, rows + rest_rows AS addresses
FROM xdp_count.bucket FINAL
WHERE level = 0 AND time > toDateTime('2026-11-20 03:00:00', 'UTC') AND time <= toDateTime('2026-11-20 04:00:00', 'UTC')
ORDER BY packets DESC LIMIT 10;

-- When did nobody record?
SELECT site, machine, agent, toDateTime(intDiv(begin_time, 1000), 'UTC') AS begin, time AS end,
  gap / 1000 AS seconds
FROM xdp_count.bucket FINAL WHERE level = 0 AND gap > 0 ORDER BY time DESC LIMIT 20;

-- Up to when is each agent here?
SELECT site, machine, agent, max(time) AS last FROM xdp_count.bucket GROUP BY site, machine, agent
ORDER BY last;
