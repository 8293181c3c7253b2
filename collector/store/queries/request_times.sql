-- request_windows.sql of all hosts together, for what follows their load: warm or not, sums per window. In no order.
SELECT
    win, endpoint, cost_unit, cpu_model, warm,
    sum(live) AS n,
    sum(live * cost) AS cost_sum
FROM
(
    SELECT
        endpoint, cost_unit, cpu_model, cost,
        intDiv(ts_ms, {window_ms:UInt64}) AS win,
        worker_req > {warmup_requests:UInt64} OR worker_age_s > {warmup_s:UInt64} AS warm,
        toFloat64(weight) * (1 - killed) AS live
    FROM requests
    WHERE day >= toDate(intDiv({from_ms:UInt64}, 86400000))
        AND day <= toDate(intDiv({to_ms:UInt64}, 86400000))
        AND ts_ms >= {from_ms:UInt64} AND ts_ms < {to_ms:UInt64}
        AND service = {service:String}
        AND ({endpoint:String} = '' OR endpoint = {endpoint:String})
        AND ({release:String} = '' OR release = {release:String})
        AND ({host:String} = '' OR host = {host:String})
        AND ({region:String} = '' OR region = {region:String})
        AND ({runtime:String} = '' OR runtime = {runtime:String})
        AND ({flag:String} = '' OR has(flags, {flag:String}))
)
GROUP BY win, endpoint, cost_unit, cpu_model, warm
