-- Limits that were hit in the window. Rows of parts without a service count for every service.
SELECT service, host, `where`, what, sum(count) AS hits
FROM limits
WHERE day >= toDate(intDiv({from_ms:UInt64}, 86400000))
    AND day <= toDate(intDiv({to_ms:UInt64}, 86400000))
    AND ts_ms >= {from_ms:UInt64} AND ts_ms < {to_ms:UInt64}
    AND ({service:String} = '' OR service = '' OR service = {service:String})
GROUP BY service, host, `where`, what
ORDER BY hits DESC, service, host, `where`, what
