-- keep_days.sql for tables whose partition is a week.
ALTER TABLE {table} MODIFY TTL toDateTime(toMonday(day), 'UTC') + toIntervalDay({days})
SETTINGS materialize_ttl_after_modify = 0
