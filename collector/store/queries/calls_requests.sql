-- Deeply profiled requests by endpoint.
SELECT endpoint, uniqExact(trace_id, ts_ms, host) AS profiled
FROM function_costs
WHERE day >= toDate(intDiv({from_ms:UInt64}, 86400000))
    AND day <= toDate(intDiv({to_ms:UInt64}, 86400000))
    AND ts_ms >= {from_ms:UInt64} AND ts_ms < {to_ms:UInt64}
    AND service = {service:String}
    AND ({endpoint:String} = '' OR endpoint = {endpoint:String})
    AND ({release:String} = '' OR release = {release:String})
    AND ({host:String} = '' OR host = {host:String})
    AND ({region:String} = '' OR region = {region:String})
    AND {runtime:String} = ''
    AND {flag:String} = ''
GROUP BY endpoint
ORDER BY endpoint
