-- How long what is kept: minutes a month, hours a year, days for ever; buckets as long as their rows.
-- On ClickHouse 21.6 and later; before, ALTER TABLE … DROP PARTITION does it by hand.
ALTER TABLE xdp_count.row MODIFY TTL time + INTERVAL 30 DAY DELETE WHERE level = 0, time + INTERVAL 400 DAY DELETE WHERE level = 1;
ALTER TABLE xdp_count.bucket MODIFY TTL time + INTERVAL 30 DAY DELETE WHERE level = 0, time + INTERVAL 400 DAY DELETE WHERE level = 1;
