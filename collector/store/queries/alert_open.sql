-- The alerts that fire now: the newest change of each is to firing.
SELECT
    id,
    argMax(json, ts_ms) AS newest_json,
    argMax(state, ts_ms) AS newest_state
FROM alert_events
WHERE state IN ('firing', 'resolved')
GROUP BY id
HAVING newest_state = 'firing'
ORDER BY id
