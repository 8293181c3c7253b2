-- The time of a table's newest row; 0 without one.
SELECT max(ts_ms) AS ms
FROM {table:Identifier}
WHERE day = (SELECT max(day) FROM {table:Identifier})
