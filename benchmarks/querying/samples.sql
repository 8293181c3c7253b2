-- On-CPU samples of windows of 10 s: `rows` rows a host and window, endpoints as requests have them.
INSERT INTO stack_samples
(
    day, batch_id, ts_ms, service, host, region, ring_id, pid, worker, release, endpoint, stack_id, samples,
    weight_s, window_ms, late_ns, contended
)
SELECT
    toDate(intDiv({from_ms:UInt64}, 86400000)) AS day,
    'made' AS batch_id,
    {from_ms:UInt64} + slot * 10000 AS ts_ms,
    'photos' AS service,
    concat('web-', toString(host_number)) AS host,
    'eu' AS region,
    host_number * 16 + 1 AS ring_id,
    1001 AS pid,
    1 AS worker,
    concat('r', toString({first_release:UInt32} + host_number % 3)) AS release,
    concat('GET /api/v1/things', toString(rank), '/<int:id>/') AS endpoint,
    rank * 1000 + intDiv(dice, 1000) % 20 AS stack_id,
    1 + dice % 9 AS samples,
    samples * 0.05 AS weight_s,
    10000 AS window_ms,
    0 AS late_ns,
    0 AS contended
FROM
(
    SELECT
        cityHash64(number, {from_ms:UInt64}) AS dice,
        intDiv(number, {rows:UInt32}) % {hosts:UInt32} AS host_number,
        intDiv(number, {rows:UInt32} * {hosts:UInt32}) AS slot,
        toUInt32(least({endpoints:UInt32},
            floor(exp(log({endpoints:UInt32} + 1) * (intHash32(dice) / 4294967296.))))) AS rank
    FROM numbers({rows:UInt32} * {hosts:UInt32} * intDiv({seconds:UInt32}, 10))
)
