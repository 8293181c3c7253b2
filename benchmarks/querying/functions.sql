-- One day of function_hours: 40 functions of each endpoint, release and cell that is active in an hour, as often as
-- `rollup.sql` has them. Every hour is of one version, 2.
INSERT INTO function_hours
SELECT
    toDate(intDiv({day_ms:UInt64}, 86400000)) AS day,
    'photos' AS service,
    concat('GET /api/v1/things', toString(rank), '/<int:id>/') AS endpoint,
    {day_ms:UInt64} + slot * 3600000 AS start_ms,
    2 AS version,
    concat('r', toString({first_release:UInt32} + live)) AS release,
    cell,
    concat('photos.things', toString(rank), ':part', toString(part)) AS function,
    0 AS origin,
    0.05 * (1 + (dice + part) % 7) AS self_weight_s,
    self_weight_s * (1 + (40 - part) % 9) AS weight_s,
    1 + (dice + part) % 7 AS self_samples,
    self_samples * (1 + (40 - part) % 9) AS samples
FROM
(
    SELECT
        toUInt8(number % 64) AS cell,
        intDiv(number, 64) % 3 AS live,
        intDiv(number, 192) % {endpoints:UInt32} + 1 AS rank,
        intDiv(number, 192 * {endpoints:UInt32}) AS slot,
        cityHash64(number, {day_ms:UInt64}) AS dice,
        arrayJoin(range(40)) AS part
    FROM numbers({slots:UInt64} * 192 * {endpoints:UInt32})
    WHERE cityHash64(number, {day_ms:UInt64}) % 1000000 < 1000000
        * least(1, {active:Float64} / (intDiv(number, 192) % {endpoints:UInt32} + 1))
)
