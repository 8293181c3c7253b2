-- One day of host_minutes: each host has one release.
INSERT INTO host_minutes SETTINGS optimize_on_insert = 0
SELECT
    toDate(intDiv({day_ms:UInt64}, 86400000)) AS day,
    concat('web-', toString(host_number)) AS host,
    'eu' AS region,
    'photos' AS service,
    concat('r', toString({first_release:UInt32} + host_number % 3)) AS release,
    'cpu_ns' AS cost_unit,
    {day_ms:UInt64} + slot * 60000 AS minute_ms,
    60, 0.6, 0, 0.6, 0, 0,
    60 * 5e6, 60 * 3e13, 60 * 5e6, 60 * 3e13, 60 * 1e7, 60 * 1.2e14,
    60 * 2e6, 180, 60 * 1e6, 120, 0, 0, 60000,
    arrayMap(i -> toInt32(i - 60), range(20)) AS wall_buckets,
    arrayMap(i -> toFloat64(3), range(20)) AS wall_counts,
    arrayMap(i -> toInt32(i + 160), range(12)) AS cost_buckets,
    arrayMap(i -> toFloat64(5), range(12)) AS cost_counts,
    arrayReduce('uniqIfState', arrayMap(i -> cityHash64(number, i), range(20)),
        arrayMap(i -> toUInt8(1), range(20))) AS users,
    arrayReduce('uniqState', arrayMap(i -> toUInt64(host_number * 16 + i), range(8))) AS rings,
    arrayReduce('minState', [toUInt64({day_ms:UInt64} + slot * 60000)]) AS first_ms,
    arrayReduce('maxState', [toUInt64({day_ms:UInt64} + slot * 60000 + 59999)]) AS last_ms
FROM
(
    SELECT number, number % {hosts:UInt32} AS host_number, intDiv(number, {hosts:UInt32}) AS slot
    FROM numbers({slots:UInt64} * {hosts:UInt32})
)
