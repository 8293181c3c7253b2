-- One hour of endpoint_minutes as rows of endpoint_hours; the ms more tells them from minutes in endpoint_times.
INSERT INTO endpoint_hours
(
    day, service, endpoint, release, region, cell, kind, status_class, cost_unit, cpu_model, minute_ms,
    n, errors, killed, crashed, disconnected, throttled,
    cost_sum, cost_sq, task_clock_sum, task_clock_sq, wall_sum, wall_sq, db_ns_sum, db_calls_sum,
    cache_ns_sum, cache_calls_sum, rpc_ns_sum, rpc_calls_sum, gc_ns_sum,
    `wallMap.bucket`, `wallMap.n`, `costMap.bucket`, `costMap.n`, users, rings, first_ms, last_ms
)
SELECT
    day, service, endpoint, release, region, cell, kind, status_class, cost_unit, cpu_model,
    {hour_ms:UInt64} + 1 AS hour_start_ms,
    sum(n) AS n_all,
    sum(errors) AS errors_all,
    sum(killed) AS killed_all,
    sum(crashed) AS crashed_all,
    sum(disconnected) AS disconnected_all,
    sum(throttled) AS throttled_all,
    sum(cost_sum) AS cost_sum_all,
    sum(cost_sq) AS cost_sq_all,
    sum(task_clock_sum) AS task_clock_sum_all,
    sum(task_clock_sq) AS task_clock_sq_all,
    sum(wall_sum) AS wall_sum_all,
    sum(wall_sq) AS wall_sq_all,
    sum(db_ns_sum) AS db_ns_sum_all,
    sum(db_calls_sum) AS db_calls_sum_all,
    sum(cache_ns_sum) AS cache_ns_sum_all,
    sum(cache_calls_sum) AS cache_calls_sum_all,
    sum(rpc_ns_sum) AS rpc_ns_sum_all,
    sum(rpc_calls_sum) AS rpc_calls_sum_all,
    sum(gc_ns_sum) AS gc_ns_sum_all,
    tupleElement(sumMap(`wallMap.bucket`, `wallMap.n`), 1) AS wall_buckets,
    tupleElement(sumMap(`wallMap.bucket`, `wallMap.n`), 2) AS wall_counts,
    tupleElement(sumMap(`costMap.bucket`, `costMap.n`), 1) AS cost_buckets,
    tupleElement(sumMap(`costMap.bucket`, `costMap.n`), 2) AS cost_counts,
    uniqIfMergeState(users) AS all_users,
    uniqMergeState(rings) AS all_rings,
    minMergeState(first_ms) AS first_of_all_ms,
    maxMergeState(last_ms) AS last_of_all_ms
FROM endpoint_minutes
WHERE day = toDate(intDiv({hour_ms:UInt64}, 86400000))
    AND minute_ms >= {hour_ms:UInt64} AND minute_ms < {hour_ms:UInt64} + 3600000
GROUP BY day, service, endpoint, release, region, cell, kind, status_class, cost_unit, cpu_model
