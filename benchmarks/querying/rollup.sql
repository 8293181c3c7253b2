-- One day of endpoint_minutes or endpoint_hours: 3 releases live, 64 cells. The endpoint of rank r is active
-- in the share active / r of all slots of time, release and cell. Rows of hours are a ms past the hour. Each key is
-- there once: nothing has to be summed before it is written.
INSERT INTO {table} SETTINGS optimize_on_insert = 0
SELECT
    toDate(intDiv({day_ms:UInt64}, 86400000)) AS day,
    'photos' AS service,
    concat('GET /api/v1/things', toString(rank), '/<int:id>/') AS endpoint,
    concat('r', toString({first_release:UInt32} + live)) AS release,
    'eu' AS region,
    cell,
    'http' AS kind,
    toUInt8(2) AS status_class,
    'cpu_ns' AS cost_unit,
    'AMD EPYC 7B13' AS cpu_model,
    {day_ms:UInt64} + slot * {slot_ms:UInt64} + ({slot_ms:UInt64} = 3600000) AS minute_ms,
    n, n * 0.01, 0, n * 0.01, 0, 0,
    n * cost, n * cost * cost * 1.1, n * cost, n * cost * cost * 1.1, n * 2 * cost, n * 4.4 * cost * cost,
    n * cost / 2, n * 3, n * cost / 4, n * 2, 0, 0, n * 1000,
    arrayMap(i -> toInt32(i + rank % 9 - 60), range(12)) AS wall_buckets,
    arrayMap(i -> n / 12, range(12)) AS wall_counts,
    arrayMap(i -> toInt32(i + rank % 9 + 160), range(6)) AS cost_buckets,
    arrayMap(i -> n / 6, range(6)) AS cost_counts,
    arrayReduce('uniqIfState', arrayMap(i -> cityHash64(dice, i), range(toUInt8(least(n, 20)))),
        arrayMap(i -> toUInt8(1), range(toUInt8(least(n, 20))))) AS users,
    arrayReduce('uniqState', arrayMap(i -> toUInt64(cell * 16 + i), range(4))) AS rings,
    arrayReduce('minState', [toUInt64({day_ms:UInt64} + slot * {slot_ms:UInt64})]) AS first_ms,
    arrayReduce('maxState', [toUInt64({day_ms:UInt64} + (slot + 1) * {slot_ms:UInt64} - 1)]) AS last_ms
FROM
(
    SELECT
        toUInt8(number % 64) AS cell,
        intDiv(number, 64) % 3 AS live,
        intDiv(number, 192) % {endpoints:UInt32} + 1 AS rank,
        intDiv(number, 192 * {endpoints:UInt32}) AS slot,
        cityHash64(number, {day_ms:UInt64}) AS dice,
        toFloat64(1 + dice % 30) AS n,
        1e6 * (1 + rank % 9) AS cost
    FROM numbers({slots:UInt64} * 192 * {endpoints:UInt32})
    WHERE dice % 1000000 < 1000000 * least(1, {active:Float64} / rank)
)
