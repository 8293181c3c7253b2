-- Who sent samples of each step in these times, of one day.
SELECT intDiv(ts_ms, {step_ms:UInt64}) * {step_ms:UInt64} AS start, service, host
FROM stack_samples
WHERE day = toDate(intDiv({from_ms:UInt64}, 86400000))
    AND ts_ms >= {from_ms:UInt64} AND ts_ms < {to_ms:UInt64}
GROUP BY start, service, host
ORDER BY start, service, host
