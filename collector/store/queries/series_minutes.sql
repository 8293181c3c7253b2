-- Sums per step of time, release and unit, from the minute roll-up.
SELECT
    intDiv(minute_ms, {step_ms:UInt64}) * {step_ms:UInt64} AS step_start_ms,
    release, cost_unit,
    sum(n) AS requests,
    sum(errors) AS error_count,
    sum(killed) AS killed_count,
    sum(cost_sum) AS cost_total,
    sum(task_clock_sum) AS task_clock_total,
    sum(wall_sum) AS wall_total,
    sum(db_ns_sum) AS db_total,
    sum(cache_ns_sum) AS cache_total,
    sum(rpc_ns_sum) AS rpc_total,
    tupleElement(sumMap(`wallMap.bucket`, `wallMap.n`), 1) AS wall_buckets,
    tupleElement(sumMap(`wallMap.bucket`, `wallMap.n`), 2) AS wall_counts,
    maxMerge(last_ms) AS last_seen_ms
FROM endpoint_times
WHERE day >= toDate(intDiv({from_ms:UInt64}, 86400000))
    AND day <= toDate(intDiv({to_ms:UInt64}, 86400000))
    AND minute_ms >= {from_ms:UInt64} AND minute_ms < {to_ms:UInt64}
    AND (minute_ms % 60000 = 1) = (minute_ms < {hours_until_ms:UInt64})
    AND service = {service:String}
    AND ({endpoint:String} = '' OR endpoint = {endpoint:String})
GROUP BY step_start_ms, release, cost_unit
ORDER BY step_start_ms, release, cost_unit
