-- Sums per host, window, release, endpoint, unit, model and warmth, of two releases. slow: live
-- requests slower than their endpoint's limit.
SELECT
    host, win, release, endpoint, cost_unit, cpu_model, warm,
    sum(live) AS n,
    sum(w) AS every,
    sum(w * failed) AS errors,
    sum(live * cost) AS cost_sum,
    sum(live * (wall_ns > limit_ns)) AS slow,
    max(ts_ms) AS last_seen_ms
FROM
(
    SELECT
        host, release, endpoint, cost_unit, cpu_model, failed, cost, wall_ns, ts_ms,
        intDiv(ts_ms, {window_ms:UInt64}) AS win,
        worker_req > {warmup_requests:UInt64} OR worker_age_s > {warmup_s:UInt64} AS warm,
        arrayElement({limits_ns:Array(UInt64)}, indexOf({endpoints:Array(String)}, toString(endpoint))) AS limit_ns,
        toFloat64(weight) AS w,
        toFloat64(weight) * (1 - killed) AS live
    FROM requests
    WHERE day >= toDate(intDiv({from_ms:UInt64}, 86400000))
        AND day <= toDate(intDiv({to_ms:UInt64}, 86400000))
        AND ts_ms >= {from_ms:UInt64} AND ts_ms < {to_ms:UInt64}
        AND service = {service:String}
        AND (release = {release:String} OR release = {control:String})
        AND has({endpoints:Array(String)}, toString(endpoint))
)
GROUP BY host, win, release, endpoint, cost_unit, cpu_model, warm
ORDER BY host, win, release, endpoint, cost_unit, cpu_model, warm
