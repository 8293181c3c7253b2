-- Hosts of which something was measured in the window, but for those named.
SELECT service, host
FROM metrics
WHERE day >= toDate(intDiv({from_ms:UInt64}, 86400000))
    AND day <= toDate(intDiv({to_ms:UInt64}, 86400000))
    AND ts_ms >= {from_ms:UInt64} AND ts_ms < {to_ms:UInt64}
    AND ({service:String} = '' OR service = {service:String})
    AND source IN ('host', 'worker', 'uwsgi', 'agent')
    AND host NOT IN (SELECT arrayJoin({named_hosts:Array(String)}))
GROUP BY service, host
ORDER BY service, host
