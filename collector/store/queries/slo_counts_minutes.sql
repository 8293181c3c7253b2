-- slo_counts.sql from the roll-up, by whole minutes, for ages at which raw rows are too many. The
-- thresholds are edges of the histogram: their buckets are those of requests.wall_bucket.
SELECT
    service,
    transform(toString(endpoint), {endpoints:Array(String)}, {endpoints:Array(String)}, '') AS named,
    arrayCount(edge -> edge < {to_ms:UInt64} - minute_ms, {windows_ms:Array(UInt64)}) AS ring,
    toUInt32(ring * {parts:UInt32} + intDiv(
        ({to_ms:UInt64} - minute_ms - 1 - transform(ring, {rings:Array(UInt32)}, {starts_ms:Array(UInt64)}, toUInt64(0)))
            * {parts:UInt32},
        transform(ring, {rings:Array(UInt32)}, {lengths_ms:Array(UInt64)}, toUInt64(1))
    )) AS slice,
    sum(n) AS everything,
    sum(n - crashed) AS no_crash,
    sum(if(kind = 'http', n - disconnected - throttled, 0)) AS available_of,
    sum(if(kind = 'http' AND status_class < 5, n - killed - disconnected - throttled, 0)) AS available,
    sum(if(status_class = 4, 0, n)) AS success_of,
    sum(if(status_class = 2, n - killed, 0)) AS success,
    sum(arraySum(arrayMap((b, c) -> if(b < toInt32(floor(8 * log2(0.1))) + 1, c, 0), wallMap.bucket, wallMap.n))) AS within_100,
    sum(arraySum(arrayMap((b, c) -> if(b < -15, c, 0), wallMap.bucket, wallMap.n))) AS within_250,
    sum(arraySum(arrayMap((b, c) -> if(b < -7, c, 0), wallMap.bucket, wallMap.n))) AS within_500,
    sum(arraySum(arrayMap((b, c) -> if(b < 1, c, 0), wallMap.bucket, wallMap.n))) AS within_1000,
    sum(arraySum(arrayMap((b, c) -> if(b < 9, c, 0), wallMap.bucket, wallMap.n))) AS within_2000,
    sum(arraySum(arrayMap((b, c) -> if(b < toInt32(floor(8 * log2(5))) + 2, c, 0), wallMap.bucket, wallMap.n))) AS within_5000
FROM endpoint_times
WHERE day >= toDate(intDiv({from_ms:UInt64}, 86400000))
  AND day <= toDate(intDiv({until_ms:UInt64}, 86400000))
  AND minute_ms >= {from_ms:UInt64} AND minute_ms < {until_ms:UInt64}
  AND (minute_ms % 60000 = 1) = (minute_ms < {hours_until_ms:UInt64})
  AND ({all_endpoints:UInt8} = 1 OR named != '')
GROUP BY service, named, ring, slice
ORDER BY service, named, slice
