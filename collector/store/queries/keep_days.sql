-- Rows of a day are forgotten so many days after its start, in UTC; parts of before are left to DROP PARTITION.
ALTER TABLE {table} MODIFY TTL toDateTime(day, 'UTC') + toIntervalDay({days})
SETTINGS materialize_ttl_after_modify = 0
