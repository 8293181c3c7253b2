-- One metric by age (slices as in slo_counts.sql) and labels: points, their sum, how many lie below
-- and above a limit.
SELECT
    service,
    arrayStringConcat(arrayMap(x -> toString(x), labels), '\n') AS labelled,
    arrayCount(edge -> edge < {to_ms:UInt64} - ts_ms, {windows_ms:Array(UInt64)}) AS ring,
    toUInt32(ring * {parts:UInt32} + intDiv(
        ({to_ms:UInt64} - ts_ms - 1 - transform(ring, {rings:Array(UInt32)}, {starts_ms:Array(UInt64)}, toUInt64(0)))
            * {parts:UInt32},
        transform(ring, {rings:Array(UInt32)}, {lengths_ms:Array(UInt64)}, toUInt64(1))
    )) AS slice,
    toFloat64(count()) AS points,
    sum(value) AS summed,
    toFloat64(sum(value < {limit:Float64})) AS below,
    toFloat64(sum(value > {limit:Float64})) AS above
FROM metrics
WHERE day >= toDate(intDiv({from_ms:UInt64}, 86400000))
  AND day <= toDate(intDiv({to_ms:UInt64}, 86400000))
  AND ts_ms >= {from_ms:UInt64} AND ts_ms < {to_ms:UInt64}
  AND name = {metric:String}
  AND ({service:String} = '' OR service = {service:String})
GROUP BY service, labelled, ring, slice
ORDER BY service, labelled, slice
