-- Good and counted requests by age, of every kind of SLO at once. Ring i holds the ages in
-- (windows[i - 1], windows[i]]; each ring is cut into as many equal parts, and slices count them on,
-- from the newest. Endpoints that are not named are one, ''. What is good and what counts:
-- alerting/rules.py, Good.
SELECT
    service,
    transform(toString(endpoint), {endpoints:Array(String)}, {endpoints:Array(String)}, '') AS named,
    arrayCount(edge -> edge < {to_ms:UInt64} - ts_ms, {windows_ms:Array(UInt64)}) AS ring,
    toUInt32(ring * {parts:UInt32} + intDiv(
        ({to_ms:UInt64} - ts_ms - 1 - transform(ring, {rings:Array(UInt32)}, {starts_ms:Array(UInt64)}, toUInt64(0)))
            * {parts:UInt32},
        transform(ring, {rings:Array(UInt32)}, {lengths_ms:Array(UInt64)}, toUInt64(1))
    )) AS slice,
    sum(toFloat64(weight)) AS everything,
    sum((outcome NOT IN ('error', 'killed')) * toFloat64(weight)) AS no_crash,
    sum((kind = 'http' AND status != 429 AND outcome != 'disconnected') * toFloat64(weight)) AS available_of,
    sum((kind = 'http' AND status < 500 AND status != 429
        AND outcome NOT IN ('killed', 'disconnected')) * toFloat64(weight)) AS available,
    sum((status < 400 OR status >= 500) * toFloat64(weight)) AS success_of,
    sum((status >= 200 AND status < 300 AND outcome != 'killed') * toFloat64(weight)) AS success,
    sum((wall_ns < 100000000 AND outcome != 'killed') * toFloat64(weight)) AS within_100,
    sum((wall_ns < 250000000 AND outcome != 'killed') * toFloat64(weight)) AS within_250,
    sum((wall_ns < 500000000 AND outcome != 'killed') * toFloat64(weight)) AS within_500,
    sum((wall_ns < 1000000000 AND outcome != 'killed') * toFloat64(weight)) AS within_1000,
    sum((wall_ns < 2000000000 AND outcome != 'killed') * toFloat64(weight)) AS within_2000,
    sum((wall_ns < 5000000000 AND outcome != 'killed') * toFloat64(weight)) AS within_5000
FROM requests
WHERE day >= toDate(intDiv({from_ms:UInt64}, 86400000))
  AND day <= toDate(intDiv({to_ms:UInt64}, 86400000))
  AND ts_ms >= {from_ms:UInt64} AND ts_ms < {to_ms:UInt64}
  AND ({all_endpoints:UInt8} = 1 OR named != '')
GROUP BY service, named, ring, slice
ORDER BY service, named, slice
