-- Requests of each worker process, and in how long.
SELECT host, pid, sum(toFloat64(weight)) AS requests, min(ts_ms) AS first_ms, max(ts_ms) AS last_ms
FROM requests
WHERE day >= toDate(intDiv({from_ms:UInt64}, 86400000))
    AND day <= toDate(intDiv({to_ms:UInt64}, 86400000))
    AND ts_ms >= {from_ms:UInt64} AND ts_ms < {to_ms:UInt64}
    AND service = {service:String}
GROUP BY host, pid
ORDER BY host, pid
