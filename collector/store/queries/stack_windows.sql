-- On-CPU samples per host, window, endpoint and stack. contended: share of the weight, 0..1. In no order.
-- Samples carry no flags; the runtime is that of the ring's requests.
SELECT
    host,
    intDiv(ts_ms, {window_ms:UInt64}) AS win,
    endpoint,
    stack_id,
    sum(toUInt64(samples)) AS sample_count,
    sum(weight_s) AS weight_sum,
    if(weight_sum > 0, sum(weight_s * contended) / weight_sum, 0) AS contended_share
FROM stack_samples
WHERE day >= toDate(intDiv({from_ms:UInt64}, 86400000))
    AND day <= toDate(intDiv({to_ms:UInt64}, 86400000))
    AND ts_ms >= {from_ms:UInt64} AND ts_ms < {to_ms:UInt64}
    AND service = {service:String}
    AND ({endpoint:String} = '' OR endpoint = {endpoint:String})
    AND ({release:String} = '' OR release = {release:String})
    AND ({host:String} = '' OR host = {host:String})
    AND ({region:String} = '' OR region = {region:String})
    AND {flag:String} = ''
    AND ({runtime:String} = '' OR ring_id GLOBAL IN
    (
        SELECT ring_id
        FROM requests
        WHERE day >= toDate(intDiv({from_ms:UInt64}, 86400000))
            AND day <= toDate(intDiv({to_ms:UInt64}, 86400000))
            AND service = {service:String}
            AND runtime = {runtime:String}
    ))
GROUP BY host, win, endpoint, stack_id
