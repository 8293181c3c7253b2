-- Raw requests, `rate` a second; the views roll them up. The share of the endpoint of rank r falls as 1 / r.
INSERT INTO requests
(
    day, batch_id, cell, ts_ms, service, host, region, ring_id, seq, pid, worker, worker_req, worker_age_s,
    cpu_model, weight, release, runtime, endpoint, kind, status, outcome, wall_ns, cost, cost_unit,
    task_clock_ns, ctx_switches, db_ns, db_calls, cache_ns, cache_calls, gc_ns, flags, trace_id, user_hash
)
SELECT
    toDate(intDiv({from_ms:UInt64}, 86400000)) AS day,
    'made' AS batch_id,
    toUInt8(host_number % 64) AS cell,
    {from_ms:UInt64} + intDiv(number * 1000, {rate:UInt32}) AS ts_ms,
    'photos' AS service,
    concat('web-', toString(host_number)) AS host,
    'eu' AS region,
    host_number * 16 + worker AS ring_id,
    number AS seq,
    1000 + worker AS pid,
    worker,
    1000 + number % 5000 AS worker_req,
    1000 AS worker_age_s,
    'AMD EPYC 7B13' AS cpu_model,
    1 AS weight,
    concat('r', toString({first_release:UInt32} + host_number % 3)) AS release,
    'cpython 3.11.7' AS runtime,
    concat('GET /api/v1/things', toString(rank), '/<int:id>/') AS endpoint,
    'http' AS kind,
    if(dice % 100 = 0, 500, 200) AS status,
    if(dice % 100 = 0, 'error', 'ok') AS outcome,
    2 * task_clock_ns AS wall_ns,
    task_clock_ns AS cost,
    'cpu_ns' AS cost_unit,
    toUInt64(1e6 * (1 + rank % 9) * (0.5 + (dice % 1009) / 1009)) AS task_clock_ns,
    dice % 7 AS ctx_switches,
    intDiv(task_clock_ns, 2) AS db_ns,
    1 + dice % 4 AS db_calls,
    intDiv(task_clock_ns, 4) AS cache_ns,
    dice % 3 AS cache_calls,
    dice % 50000 AS gc_ns,
    if(dice % 2 = 1, ['new_ranker=on'], ['new_ranker=off']) AS flags,
    lower(hex(dice)) AS trace_id,
    1 + dice % 100000 AS user_hash
FROM
(
    SELECT
        number,
        cityHash64(number, {from_ms:UInt64}) AS dice,
        intHash64(number) % {hosts:UInt32} AS host_number,
        1 + dice % 8 AS worker,
        toUInt32(least({endpoints:UInt32},
            floor(exp(log({endpoints:UInt32} + 1) * (intHash32(dice) / 4294967296.))))) AS rank
    FROM numbers({rate:UInt32} * {seconds:UInt32})
)
