-- The same columns as endpoints_minutes, from raw requests.
SELECT
    endpoint, kind, cost_unit,
    sum(w) AS requests,
    sum(w * failed) AS error_count,
    sum(w * lost) AS killed_count,
    sum(live * cost) AS cost_total,
    sum(live * task_clock_ns) AS task_clock_total,
    sum(live * wall_ns) AS wall_total,
    sum(live * db_ns) AS db_total,
    sum(live * cache_ns) AS cache_total,
    sum(live * rpc_ns) AS rpc_total,
    tupleElement(sumMap(array(wall_bucket), array(live)), 1) AS wall_buckets,
    tupleElement(sumMap(array(wall_bucket), array(live)), 2) AS wall_counts,
    max(ts_ms) AS last_seen_ms,
    arraySort(arrayMap(x -> toString(x), groupUniqArray(release))) AS releases
FROM
(
    SELECT
        ts_ms, endpoint, kind, release, cost_unit, failed, wall_bucket,
        cost, task_clock_ns, wall_ns, db_ns, cache_ns, rpc_ns,
        toFloat64(weight) AS w, killed AS lost, toFloat64(weight) * (1 - killed) AS live
    FROM requests
    WHERE day >= toDate(intDiv({from_ms:UInt64}, 86400000))
        AND day <= toDate(intDiv({to_ms:UInt64}, 86400000))
        AND ts_ms >= {from_ms:UInt64} AND ts_ms < {to_ms:UInt64}
        AND service = {service:String}
)
GROUP BY endpoint, kind, cost_unit
ORDER BY endpoint, kind, cost_unit
