-- slo_counts.sql from the roll-up, by whole minutes, for ages at which raw rows are too many. The
-- threshold must be an edge of the histogram; its bucket is computed as requests.wall_bucket is.
SELECT
    service,
    arrayCount(edge -> edge < {to_ms:UInt64} - minute_ms, {windows_ms:Array(UInt64)}) AS ring,
    toUInt32(ring * {parts:UInt32} + intDiv(
        ({to_ms:UInt64} - minute_ms - 1 - transform(ring, {rings:Array(UInt32)}, {starts_ms:Array(UInt64)}, toUInt64(0)))
            * {parts:UInt32},
        transform(ring, {rings:Array(UInt32)}, {lengths_ms:Array(UInt64)}, toUInt64(1))
    )) AS slice,
    sum(multiIf(
        {good:String} = 'within', arraySum(arrayMap(
            (bucket, count) -> if(bucket < toInt32(floor(8 * log2({threshold_ns:UInt64} / 1e9)))
                + ({threshold_ns:UInt64} >= 100000000) + ({threshold_ns:UInt64} >= 5000000000), count, 0),
            wallMap.bucket, wallMap.n)),
        {good:String} = 'available',
            if(kind = 'http' AND status_class < 5, n - killed - disconnected - throttled, 0),
        {good:String} = 'success', if(status_class = 2, n - killed, 0),
        n - crashed
    )) AS good_requests,
    sum(multiIf(
        {good:String} = 'within', n,
        {good:String} = 'available', if(kind = 'http', n - disconnected - throttled, 0),
        {good:String} = 'success', if(status_class = 4, 0, n),
        n
    )) AS all_requests
FROM endpoint_times
WHERE day >= toDate(intDiv({from_ms:UInt64}, 86400000))
  AND day <= toDate(intDiv({until_ms:UInt64}, 86400000))
  AND minute_ms >= {from_ms:UInt64} AND minute_ms < {until_ms:UInt64}
  AND ({service:String} = '' OR service = {service:String})
  AND ({endpoint:String} = '' OR endpoint = {endpoint:String})
GROUP BY service, ring, slice
ORDER BY service, slice
