-- Every silence in its newest state.
SELECT
    id,
    argMax(json, ts_ms) AS newest_json,
    argMax(by, ts_ms) AS newest_by,
    argMax(reason, ts_ms) AS newest_reason
FROM silence_events
GROUP BY id
ORDER BY id
