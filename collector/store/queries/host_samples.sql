-- The service as one word where it is named: rows are then grouped by one column.
SELECT if({service:String} = '', toString(service), {service:String}) AS named, host, sum(samples) AS sample_count, max(ts_ms) AS last_seen_ms
FROM stack_samples
WHERE day >= toDate(intDiv({from_ms:UInt64}, 86400000))
    AND day <= toDate(intDiv({to_ms:UInt64}, 86400000))
    AND ts_ms >= {from_ms:UInt64} AND ts_ms < {to_ms:UInt64}
    AND ({service:String} = '' OR service = {service:String})
GROUP BY named, host
ORDER BY named, host
