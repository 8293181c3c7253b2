-- Rows and bytes on disk per table of this store, empty ones too.
SELECT name, sum(part_rows) AS rows, sum(part_bytes) AS bytes
FROM
(
    SELECT name, toUInt64(0) AS part_rows, toUInt64(0) AS part_bytes
    FROM system.tables
    WHERE database = {database} AND engine LIKE '%MergeTree'
    UNION ALL
    SELECT table AS name, rows AS part_rows, bytes_on_disk AS part_bytes
    FROM {parts}
    WHERE database = {database} AND active
)
GROUP BY name
ORDER BY name
