-- The spans of one trace in order of time, a span that was sent twice once.
SELECT
    span_id, parent_id, name, kind, service, host, release, endpoint, started_ns, wall_ns, status,
    outcome
FROM spans
WHERE trace_id = {trace_id:String}
ORDER BY started_ns, span_id
LIMIT 1 BY span_id
LIMIT {spans_max:UInt32}
