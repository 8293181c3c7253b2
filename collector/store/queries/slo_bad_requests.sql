-- The worst bad requests of one service, those whose traces were kept first.
SELECT ts_ms, endpoint, release, region, host, status, outcome, wall_ns, trace_id, trace_sampled, error_fp
FROM requests
WHERE day >= toDate(intDiv({from_ms:UInt64}, 86400000))
  AND day <= toDate(intDiv({to_ms:UInt64}, 86400000))
  AND ts_ms >= {from_ms:UInt64} AND ts_ms < {to_ms:UInt64}
  AND service = {service:String}
  AND ({endpoint:String} = '' OR endpoint = {endpoint:String})
  AND multiIf(
        {good:String} = 'within', wall_ns >= {threshold_ns:UInt64} OR outcome = 'killed',
        {good:String} = 'available', kind = 'http' AND status != 429 AND outcome != 'disconnected'
            AND (status >= 500 OR outcome = 'killed'),
        {good:String} = 'success', (status < 200 OR status >= 300 OR outcome = 'killed')
            AND (status < 400 OR status >= 500),
        outcome IN ('error', 'killed')
    )
ORDER BY trace_sampled DESC, wall_ns DESC
LIMIT {limit:UInt64}
