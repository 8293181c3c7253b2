-- Where the time of a request went, means per request, ms.
SELECT
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
