-- On-CPU samples per stack, over all hosts, windows and endpoints. In no order. The runtime is that of the ring's requests.
SELECT
    stack_id,
    sum(toUInt64(samples)) AS sample_count,
    sum(weight_s) AS weight_sum
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
GROUP BY stack_id
