-- Resident memory of each worker and window.
SELECT
    host, intDiv(ts_ms, {window_ms:UInt64}) AS win,
    arrayMap(x -> toString(x), labels) AS words,
    sum(value) AS held_bytes,
    toFloat64(count()) AS readings
FROM metrics
WHERE day >= toDate(intDiv({from_ms:UInt64}, 86400000))
    AND day <= toDate(intDiv({to_ms:UInt64}, 86400000))
    AND ts_ms >= {from_ms:UInt64} AND ts_ms < {to_ms:UInt64}
    AND service = {service:String}
    AND name = 'worker_rss_bytes'
    AND source = 'worker'
GROUP BY host, win, words
ORDER BY host, win, words
