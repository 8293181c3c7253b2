-- Events in the given states, newest first.
SELECT id, state, ts_ms, service, by, reason, json
FROM alert_events
WHERE day >= toDate(intDiv({from_ms:UInt64}, 86400000))
  AND day <= toDate(intDiv({to_ms:UInt64}, 86400000))
  AND ts_ms >= {from_ms:UInt64} AND ts_ms < {to_ms:UInt64}
  AND has({states:Array(String)}, toString(state))
ORDER BY ts_ms DESC
LIMIT {limit:UInt64}
