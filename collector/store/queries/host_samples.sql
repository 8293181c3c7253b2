SELECT service, host, sum(samples) AS sample_count, max(ts_ms) AS last_seen_ms
FROM stack_samples
WHERE day >= toDate(intDiv({from_ms:UInt64}, 86400000))
    AND day <= toDate(intDiv({to_ms:UInt64}, 86400000))
    AND ts_ms >= {from_ms:UInt64} AND ts_ms < {to_ms:UInt64}
    AND ({service:String} = '' OR service = {service:String})
GROUP BY service, host
ORDER BY service, host
