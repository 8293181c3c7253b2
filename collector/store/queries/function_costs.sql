-- Sums over the profiled requests of an endpoint, by function and caller.
SELECT
    cost_unit, function, caller,
    sum(calls) AS call_count,
    sum(cost_self) AS self_total,
    sum(cost_inclusive) AS inclusive_total
FROM function_costs
WHERE day >= toDate(intDiv({from_ms:UInt64}, 86400000))
    AND day <= toDate(intDiv({to_ms:UInt64}, 86400000))
    AND ts_ms >= {from_ms:UInt64} AND ts_ms < {to_ms:UInt64}
    AND service = {service:String}
    AND endpoint = {endpoint:String}
    AND ({release:String} = '' OR release = {release:String})
GROUP BY cost_unit, function, caller
ORDER BY self_total DESC, function, caller
