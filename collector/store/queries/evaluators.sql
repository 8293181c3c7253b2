-- How each evaluator fared last.
SELECT id, max(ts_ms) AS newest_ms, argMax(json, ts_ms) AS newest_json
FROM evaluator_events
WHERE day >= toDate(intDiv({from_ms:UInt64}, 86400000))
  AND day <= toDate(intDiv({to_ms:UInt64}, 86400000))
  AND ts_ms >= {from_ms:UInt64} AND ts_ms < {to_ms:UInt64}
GROUP BY id
ORDER BY id
