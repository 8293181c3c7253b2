-- How busy each host's processors were in each window, percent. In no order.
SELECT host, intDiv(ts_ms, {window_ms:UInt64}) AS win, avg(value) AS load
FROM metrics
WHERE day >= toDate(intDiv({from_ms:UInt64}, 86400000))
    AND day <= toDate(intDiv({to_ms:UInt64}, 86400000))
    AND ts_ms >= {from_ms:UInt64} AND ts_ms < {to_ms:UInt64}
    AND name = 'host_cpu_percent'
    AND source = 'host'
    AND ({host:String} = '' OR host = {host:String})
GROUP BY host, win
