-- The hours of functions of one day count, and so did the steps that they were made of.
INSERT INTO function_marks
SELECT
    toUInt32(if(number % 7 = 6, 3600000, 600000)) AS length_ms,
    {day_ms:UInt64} + intDiv(number, 7) * 3600000 + if(number % 7 = 6, 0, number % 7 * 600000) AS start_ms,
    if(number % 7 = 6, 2, 1) AS version,
    0 AS is_stale
FROM numbers(7 * {slots:UInt64})
