-- How many requests of an endpoint were profiled, by unit.
SELECT
    cost_unit,
    uniqExact(trace_id, ts_ms, host) AS requests,
    max(ts_ms) AS last_seen_ms,
    arraySort(groupUniqArray(toString(release))) AS releases
FROM function_costs
WHERE day >= toDate(intDiv({from_ms:UInt64}, 86400000))
    AND day <= toDate(intDiv({to_ms:UInt64}, 86400000))
    AND ts_ms >= {from_ms:UInt64} AND ts_ms < {to_ms:UInt64}
    AND service = {service:String}
    AND endpoint = {endpoint:String}
    AND ({release:String} = '' OR release = {release:String})
GROUP BY cost_unit
ORDER BY requests DESC, cost_unit
