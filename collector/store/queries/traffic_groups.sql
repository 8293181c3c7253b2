-- Sums per endpoint, unit and sort of request, for the mix within endpoints. n: not killed.
SELECT
    endpoint, cost_unit, kind, status, flag_set, warm,
    sum(live) AS n,
    sum(live * cost) AS cost_sum
FROM
(
    SELECT
        endpoint, cost_unit, kind, status, cost,
        if(
            {by_flags:UInt8} = 1,
            arrayStringConcat(arrayMap(x -> toString(x), flags), unhex('1F')),
            ''
        ) AS flag_set,
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
GROUP BY endpoint, cost_unit, kind, status, flag_set, warm
ORDER BY n DESC, endpoint, cost_unit, kind, status, flag_set, warm
LIMIT {rows_max:UInt32}
