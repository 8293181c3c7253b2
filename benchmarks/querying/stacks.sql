-- 20 stacks an endpoint, of its 40 functions.
INSERT INTO stacks (day, batch_id, ts_ms, service, host, region, stack_id, frames, lines, origins)
SELECT
    toDate(intDiv({from_ms:UInt64}, 86400000)) AS day,
    'made' AS batch_id,
    {from_ms:UInt64} AS ts_ms,
    'photos' AS service,
    'web-1' AS host,
    'eu' AS region,
    rank * 1000 + branch AS stack_id,
    arrayMap(i -> concat('photos.things', toString(rank), ':part',
        toString(if(i < 4, i, (i + branch * 3) % 36 + 4))), range(14)) AS frames,
    arrayMap(i -> toUInt32(i), range(14)) AS lines,
    arrayMap(i -> toUInt8(0), range(14)) AS origins
FROM
(
    SELECT intDiv(number, 20) + 1 AS rank, number % 20 AS branch FROM numbers(20 * {endpoints:UInt32})
)
