-- Where the bad requests of one service are: by release, region and endpoint, most bad first.
SELECT
    release,
    region,
    endpoint,
    sum(toFloat64(weight)) AS all_requests,
    sum(multiIf(
        {good:String} = 'within', wall_ns >= {threshold_ns:UInt64} OR outcome = 'killed',
        {good:String} = 'available', kind = 'http' AND status != 429 AND outcome != 'disconnected'
            AND (status >= 500 OR outcome = 'killed'),
        {good:String} = 'success', (status < 200 OR status >= 300 OR outcome = 'killed')
            AND (status < 400 OR status >= 500),
        outcome IN ('error', 'killed')
    ) * toFloat64(weight)) AS bad_requests,
    min(ts_ms) AS first_ms
FROM requests
WHERE day >= toDate(intDiv({from_ms:UInt64}, 86400000))
  AND day <= toDate(intDiv({to_ms:UInt64}, 86400000))
  AND ts_ms >= {from_ms:UInt64} AND ts_ms < {to_ms:UInt64}
  AND service = {service:String}
  AND ({endpoint:String} = '' OR endpoint = {endpoint:String})
GROUP BY release, region, endpoint
ORDER BY bad_requests DESC, all_requests DESC
LIMIT {limit:UInt64}
