-- The store's clock, s.
SELECT toUInt64(toUnixTimestamp(now())) AS now_s
