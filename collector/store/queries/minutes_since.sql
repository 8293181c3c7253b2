-- Minutes from a time on in which the service has requests, at most of the same and the next day.
SELECT uniqExact(start_ms) AS minutes
FROM endpoint_steps
WHERE day >= toDate(intDiv({from_ms:UInt64}, 86400000))
    AND day <= toDate(intDiv({from_ms:UInt64}, 86400000)) + 1
    AND service = {service:String}
    AND step_ms = 60000 AND of_all = 1
    AND block_ms >= intDiv({from_ms:UInt64}, 3600000) * 3600000
    AND start_ms >= {from_ms:UInt64}
