-- request_windows.sql for many hosts: sums per group of hosts and step of time. In no order.
SELECT
    host_group, step, endpoint, kind, cost_unit, cpu_model, warm,
    sum(live) AS n,
    sum(w * failed) AS errors,
    sum(live * cost) AS cost_sum,
    sum(live * task_clock_ns) AS task_clock_sum
FROM
(
    SELECT
        toUInt8(cityHash64(toString(host)) % {groups:UInt8}) AS host_group,
        intDiv(ts_ms, {step_ms:UInt64}) AS step,
        endpoint, kind, cost_unit, cpu_model, failed, cost, task_clock_ns,
        worker_req > {warmup_requests:UInt64} OR worker_age_s > {warmup_s:UInt64} AS warm,
        toFloat64(weight) AS w,
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
GROUP BY host_group, step, endpoint, kind, cost_unit, cpu_model, warm
