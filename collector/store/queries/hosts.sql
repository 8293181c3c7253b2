-- One row a service and host with requests in the window, from the minute roll-up.
SELECT
    service, host,
    argMax(toString(region), minute_ms) AS newest_region,
    argMax(toString(cost_unit), minute_ms) AS newest_cost_unit,
    arraySort(arrayMap(x -> toString(x), groupUniqArray(release))) AS releases,
    sum(n) AS requests,
    maxMerge(last_ms) AS last_seen_ms,
    max(minute_ms) AS newest_minute_ms
FROM host_minutes
WHERE day >= toDate(intDiv({from_ms:UInt64}, 86400000))
    AND day <= toDate(intDiv({to_ms:UInt64}, 86400000))
    AND minute_ms >= {from_ms:UInt64} AND minute_ms < {to_ms:UInt64}
    AND ({service:String} = '' OR service = {service:String})
GROUP BY service, host
ORDER BY service, host
