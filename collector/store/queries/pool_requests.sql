-- Per host: sums and squares of the requests, the busiest minute, wall times of one endpoint ('': all).
SELECT
    host,
    sum(minute_n) AS requests,
    max(minute_n) AS peak_minute,
    sum(minute_live) AS live_total,
    sum(minute_wall) AS wall_total,
    sum(minute_wall_sq) AS wall_sq_total,
    sum(minute_cpu) AS cpu_total,
    sum(minute_cpu_sq) AS cpu_sq_total,
    sum(minute_outside) AS outside_total,
    sum(minute_gc) AS gc_total,
    max(minute_rings) AS rings,
    min(minute_first_ms) AS first_ms,
    max(minute_last_ms) AS last_ms,
    tupleElement(sumMap(minute_buckets, minute_counts), 1) AS wall_buckets,
    tupleElement(sumMap(minute_buckets, minute_counts), 2) AS wall_counts
FROM
(
    SELECT
        host,
        intDiv(ts_ms, 60000) AS minute,
        sum(w) AS minute_n,
        sum(live) AS minute_live,
        sum(live * wall_ns) AS minute_wall,
        sum(live * wall_ns * wall_ns) AS minute_wall_sq,
        sum(live * task_clock_ns) AS minute_cpu,
        sum(live * task_clock_ns * task_clock_ns) AS minute_cpu_sq,
        sum(live * outside_ns) AS minute_outside,
        sum(live * gc_ns) AS minute_gc,
        uniq(ring_id) AS minute_rings,
        min(ts_ms) AS minute_first_ms,
        max(ts_ms) AS minute_last_ms,
        tupleElement(sumMap(array(wall_bucket), array(asked)), 1) AS minute_buckets,
        tupleElement(sumMap(array(wall_bucket), array(asked)), 2) AS minute_counts
    FROM
    (
        SELECT
            host, ts_ms, ring_id, wall_bucket, gc_ns,
            toFloat64(wall_ns) AS wall_ns, toFloat64(task_clock_ns) AS task_clock_ns,
            db_ns + cache_ns + rpc_ns AS outside_ns,
            toFloat64(weight) AS w, toFloat64(weight) * (1 - killed) AS live,
            live * ({endpoint:String} = '' OR endpoint = {endpoint:String}) AS asked
        FROM requests
        WHERE day >= toDate(intDiv({from_ms:UInt64}, 86400000))
            AND day <= toDate(intDiv({to_ms:UInt64}, 86400000))
            AND ts_ms >= {from_ms:UInt64} AND ts_ms < {to_ms:UInt64}
            AND service = {service:String}
            AND kind = 'http'
    )
    GROUP BY host, minute
)
GROUP BY host
ORDER BY host
