-- Every event of one alert, newest first.
SELECT id, state, ts_ms, service, by, reason, json
FROM alert_events
WHERE id = {id:String}
ORDER BY ts_ms DESC
LIMIT {limit:UInt64}
