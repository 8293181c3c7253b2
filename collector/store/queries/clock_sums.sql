-- Requests with a cost (not killed) of an endpoint, and their thread CPU time.
SELECT
    sum(toFloat64(weight) * (1 - killed)) AS n,
    sum(toFloat64(weight) * (1 - killed) * task_clock_ns) AS task_clock_sum
FROM requests
WHERE day >= toDate(intDiv({from_ms:UInt64}, 86400000))
    AND day <= toDate(intDiv({to_ms:UInt64}, 86400000))
    AND ts_ms >= {from_ms:UInt64} AND ts_ms < {to_ms:UInt64}
    AND service = {service:String}
    AND ({endpoint:String} = '' OR endpoint = {endpoint:String})
    AND ({release:String} = '' OR release = {release:String})
