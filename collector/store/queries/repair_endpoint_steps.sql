-- Adds to endpoint_steps what it lacks, and takes away what it has too much: the sums of its view over the minutes of
-- a day, less those already there. States (last_ms) are united, which changes nothing if done again.
INSERT INTO endpoint_steps {never_deduplicated}
SELECT
    day, service, step_ms, of_all, block_ms, endpoint, release, kind, status_class, cost_unit, start_ms,
    sum(side * n), sum(side * errors), sum(side * killed), sum(side * crashed),
    sum(side * disconnected), sum(side * throttled),
    sum(side * cost_sum), sum(side * task_clock_sum), sum(side * wall_sum),
    sum(side * db_ns_sum), sum(side * cache_ns_sum), sum(side * rpc_ns_sum),
    tupleElement(sumMap(`wallMap.bucket`, arrayMap(x -> side * x, `wallMap.n`)), 1),
    tupleElement(sumMap(`wallMap.bucket`, arrayMap(x -> side * x, `wallMap.n`)), 2),
    maxMergeState(last_ms)
FROM
(
    SELECT *, toFloat64(1) AS side FROM ({view})
    UNION ALL
    SELECT *, toFloat64(-1) AS side
    FROM endpoint_steps
    WHERE day = toDate(intDiv({from_ms:UInt64}, 86400000))
        AND service >= {first_service:String} AND service <= {last_service:String}
)
GROUP BY day, service, step_ms, of_all, block_ms, endpoint, release, kind, status_class, cost_unit, start_ms
HAVING abs(sum(side * n)) > 1e-9 * sum(n)
