-- Why workers do not count the best unit, as their agents say it, and when each reason was last said.
SELECT
    service, host,
    substring(arrayFirst(x -> substring(x, 1, 12) = 'unit_reason=', labels), 13) AS unit_reason,
    max(ts_ms) AS said_ms
FROM metrics
WHERE day >= toDate(intDiv({from_ms:UInt64}, 86400000))
    AND day <= toDate(intDiv({to_ms:UInt64}, 86400000))
    AND ts_ms >= {from_ms:UInt64} AND ts_ms < {to_ms:UInt64}
    AND ({service:String} = '' OR service = {service:String})
    AND name = 'worker_state'
GROUP BY service, host, unit_reason
ORDER BY service, host, unit_reason
