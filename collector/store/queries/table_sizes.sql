-- Rows and bytes on disk per table of this store.
SELECT name, toUInt64(total_rows) AS rows, toUInt64(total_bytes) AS bytes
FROM system.tables
WHERE database = currentDatabase() AND total_rows IS NOT NULL
ORDER BY name
