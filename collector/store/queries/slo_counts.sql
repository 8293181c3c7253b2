-- Good and counted requests by age. Ring i holds the ages in (windows[i - 1], windows[i]]; each ring
-- is cut into as many equal parts, and slices count them on, from the newest.
-- What is good and what counts: alerting/rules.py, Good.
SELECT
    service,
    arrayCount(edge -> edge < {to_ms:UInt64} - ts_ms, {windows_ms:Array(UInt64)}) AS ring,
    toUInt32(ring * {parts:UInt32} + intDiv(
        ({to_ms:UInt64} - ts_ms - 1 - transform(ring, {rings:Array(UInt32)}, {starts_ms:Array(UInt64)}, toUInt64(0)))
            * {parts:UInt32},
        transform(ring, {rings:Array(UInt32)}, {lengths_ms:Array(UInt64)}, toUInt64(1))
    )) AS slice,
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
GROUP BY service, ring, slice
ORDER BY service, slice
