-- Where the time of requests went, by equal parts of the window: sums, ms.
SELECT
    toUInt32(intDiv((ts_ms - {from_ms:UInt64}) * {parts:UInt32}, {to_ms:UInt64} - {from_ms:UInt64})) AS part,
    sum(toFloat64(weight)) AS all_requests,
    sum(toFloat64(wall_ns) * weight) / 1e6 AS wall_ms,
    sum(toFloat64(task_clock_ns) * weight) / 1e6 AS cpu_ms,
    sum(toFloat64(db_ns) * weight) / 1e6 AS db_ms,
    sum(toFloat64(cache_ns) * weight) / 1e6 AS cache_ms,
    sum(toFloat64(rpc_ns) * weight) / 1e6 AS rpc_ms
FROM requests
WHERE day >= toDate(intDiv({from_ms:UInt64}, 86400000))
  AND day <= toDate(intDiv({to_ms:UInt64}, 86400000))
  AND ts_ms >= {from_ms:UInt64} AND ts_ms < {to_ms:UInt64}
  AND service = {service:String}
  AND ({endpoint:String} = '' OR endpoint = {endpoint:String})
GROUP BY part
ORDER BY part
