-- The newest mark of each step and hour of functions that starts in these times.
SELECT length_ms, start_ms, max(version) AS newest, argMax(is_stale, version) AS newest_is_stale
FROM function_marks
WHERE start_ms >= {from_ms:UInt64} AND start_ms < {to_ms:UInt64}
GROUP BY length_ms, start_ms
ORDER BY length_ms, start_ms
