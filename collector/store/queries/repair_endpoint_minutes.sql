-- Adds to endpoint_minutes what it lacks: the sums of its view over the raw rows of some minutes, less those
-- already there. States (users, rings, first_ms, last_ms) are united, which changes nothing if done again.
INSERT INTO endpoint_minutes {never_deduplicated}
SELECT
    day, service, endpoint, release, region, cell, kind, status_class, cost_unit, cpu_model, minute_ms,
    sum(side * n), sum(side * errors), sum(side * killed), sum(side * crashed),
    sum(side * disconnected), sum(side * throttled),
    sum(side * cost_sum), sum(side * cost_sq), sum(side * task_clock_sum), sum(side * task_clock_sq),
    sum(side * wall_sum), sum(side * wall_sq),
    sum(side * db_ns_sum), sum(side * db_calls_sum), sum(side * cache_ns_sum),
    sum(side * cache_calls_sum), sum(side * rpc_ns_sum), sum(side * rpc_calls_sum),
    sum(side * gc_ns_sum),
    tupleElement(sumMap(`wallMap.bucket`, arrayMap(x -> side * x, `wallMap.n`)), 1),
    tupleElement(sumMap(`wallMap.bucket`, arrayMap(x -> side * x, `wallMap.n`)), 2),
    tupleElement(sumMap(`costMap.bucket`, arrayMap(x -> side * x, `costMap.n`)), 1),
    tupleElement(sumMap(`costMap.bucket`, arrayMap(x -> side * x, `costMap.n`)), 2),
    uniqIfMergeState(users), uniqMergeState(rings), minMergeState(first_ms), maxMergeState(last_ms)
FROM
(
    SELECT *, toFloat64(1) AS side FROM ({view})
    UNION ALL
    SELECT *, toFloat64(-1) AS side
    FROM endpoint_minutes
    WHERE day = toDate(intDiv({from_ms:UInt64}, 86400000))
        AND minute_ms >= {from_ms:UInt64} AND minute_ms < {to_ms:UInt64}
        AND service >= {first_service:String} AND service <= {last_service:String}
)
GROUP BY day, service, endpoint, release, region, cell, kind, status_class, cost_unit, cpu_model, minute_ms
HAVING sum(side * n) > 1e-9 * sum(n)
