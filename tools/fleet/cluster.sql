-- For a cluster: the tables that hubs send to and queries ask, before those that store. Their servers'
-- configuration has a cluster "fleet", and the macros {shard} and {replica}. First on each server those
-- of schema.sql, by another name and replicated:
--
--   ask.py --replace xdp_count=stored_xdp_count \
--     --replace "ReplacingMergeTree=ReplicatedReplacingMergeTree('/clickhouse/{shard}/{table}', '{replica}')" \
--     URL schema.sql
--
-- and ttl.sql with the same --replace xdp_count=stored_xdp_count.
--
-- All of a machine is on one shard, so that what is sent twice meets itself. Hubs ask for their
-- insertions to be on the shards before they are confirmed (insert_distributed_sync).
CREATE DATABASE IF NOT EXISTS xdp_count;

CREATE TABLE IF NOT EXISTS xdp_count.bucket AS stored_xdp_count.bucket
ENGINE = Distributed(fleet, stored_xdp_count, bucket, cityHash64(site, machine));

CREATE TABLE IF NOT EXISTS xdp_count.row AS stored_xdp_count.row
ENGINE = Distributed(fleet, stored_xdp_count, row, cityHash64(site, machine));
