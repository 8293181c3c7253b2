-- Sums per endpoint, kind and unit: of the whole days in the window, of the whole hours and 5 minutes at
-- its ends, and of the minutes that are left. Minutes of days that have moved are not read.
SELECT
    endpoint, kind, cost_unit,
    sum(n) AS requests,
    sum(errors) AS error_count,
    sum(killed) AS killed_count,
    sum(cost_sum) AS cost_total,
    sum(task_clock_sum) AS task_clock_total,
    sum(wall_sum) AS wall_total,
    sum(db_ns_sum) AS db_total,
    sum(cache_ns_sum) AS cache_total,
    sum(rpc_ns_sum) AS rpc_total,
    tupleElement(sumMap(buckets, counts), 1) AS wall_buckets,
    tupleElement(sumMap(buckets, counts), 2) AS wall_counts,
    maxMerge(last_ms) AS last_seen_ms,
    arraySort(arrayMap(x -> toString(x), groupUniqArray(release))) AS releases
FROM
(
    WITH
        intDiv({from_ms:UInt64} + 299999, 300000) * 300000 AS fives_from,
        intDiv({to_ms:UInt64}
            + if({to_ms:UInt64} <= {hours_until_ms:UInt64}, 299999, 0), 300000) * 300000 AS fives_to,
        intDiv({from_ms:UInt64} + 3599999, 3600000) * 3600000 AS hours_from,
        intDiv({to_ms:UInt64}, 3600000) * 3600000 AS hours_to,
        intDiv({from_ms:UInt64} + 86399999, 86400000) * 86400000 AS days_from,
        intDiv({to_ms:UInt64}, 86400000) * 86400000 AS days_to
    SELECT
        endpoint, kind, cost_unit, release, n, errors, killed,
        cost_sum, task_clock_sum, wall_sum, db_ns_sum, cache_ns_sum, rpc_ns_sum,
        `wallMap.bucket` AS buckets, `wallMap.n` AS counts, last_ms
    FROM endpoint_steps
    WHERE day >= toDate(intDiv({from_ms:UInt64}, 86400000))
        AND day <= toDate(intDiv({to_ms:UInt64}, 86400000))
        AND service = {service:String}
        AND of_all = 0
        AND (
            (
                step_ms = 300000 AND start_ms >= fives_from AND start_ms < fives_to
                AND (start_ms < hours_from OR start_ms >= hours_to)
                AND block_ms >= intDiv(fives_from, 3600000) * 3600000 AND block_ms < fives_to
                AND (block_ms < hours_from OR block_ms >= hours_to)
            )
            OR (
                step_ms = 3600000 AND start_ms >= hours_from AND start_ms < hours_to
                AND (start_ms < days_from OR start_ms >= days_to)
                AND block_ms >= intDiv(hours_from, 86400000) * 86400000 AND block_ms < hours_to
                AND (block_ms < days_from OR block_ms >= days_to)
            )
            OR (step_ms = 86400000 AND start_ms >= days_from AND start_ms < days_to)
        )
    UNION ALL
    WITH
        intDiv({from_ms:UInt64} + 299999, 300000) * 300000 AS fives_from,
        intDiv({to_ms:UInt64}, 300000) * 300000 AS fives_to
    SELECT
        endpoint, kind, cost_unit, release, n, errors, killed,
        cost_sum, task_clock_sum, wall_sum, db_ns_sum, cache_ns_sum, rpc_ns_sum,
        `wallMap.bucket` AS buckets, `wallMap.n` AS counts, last_ms
    FROM endpoint_minutes
    WHERE day >= toDate(intDiv({from_ms:UInt64}, 86400000))
        AND day <= toDate(intDiv({to_ms:UInt64}, 86400000))
        AND service = {service:String}
        AND minute_ms >= {from_ms:UInt64} AND minute_ms < {to_ms:UInt64}
        AND (minute_ms < fives_from OR minute_ms >= fives_to)
        AND minute_ms >= {hours_until_ms:UInt64}
)
GROUP BY endpoint, kind, cost_unit
ORDER BY endpoint, kind, cost_unit
