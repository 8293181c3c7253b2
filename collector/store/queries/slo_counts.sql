-- Good and counted requests by age: slice 0 is the newest, slice i holds ages in (edges[i], edges[i + 1]].
-- What is good and what counts: alerting/rules.py, Good.
SELECT
    service,
    arrayCount(edge -> edge < {to_ms:UInt64} - ts_ms, {edges_ms:Array(UInt64)}) AS slice,
    sum(multiIf(
        {good:String} = 'within', wall_ns < {threshold_ns:UInt64} AND outcome != 'killed',
        {good:String} = 'available', kind = 'http' AND status < 500 AND status != 429
            AND outcome NOT IN ('killed', 'disconnected'),
        {good:String} = 'success', status >= 200 AND status < 300 AND outcome != 'killed',
        outcome NOT IN ('error', 'killed')
    ) * toFloat64(weight)) AS good_requests,
    sum(multiIf(
        {good:String} = 'within', 1,
        {good:String} = 'available', kind = 'http' AND status != 429 AND outcome != 'disconnected',
        {good:String} = 'success', status < 400 OR status >= 500,
        1
    ) * toFloat64(weight)) AS all_requests
FROM requests
WHERE day >= toDate(intDiv({from_ms:UInt64}, 86400000))
  AND day <= toDate(intDiv({to_ms:UInt64}, 86400000))
  AND ts_ms >= {from_ms:UInt64} AND ts_ms < {to_ms:UInt64}
  AND ({service:String} = '' OR service = {service:String})
  AND ({endpoint:String} = '' OR endpoint = {endpoint:String})
GROUP BY service, slice
ORDER BY service, slice
