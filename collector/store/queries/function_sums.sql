-- Functions of an endpoint, or of all (''), in those steps and hours whose versions are named.
SELECT
    toString(function) AS name,
    min(origin) AS least_origin,
    sum(self_weight_s) AS self_weight_sum,
    sum(weight_s) AS weight_sum,
    sum(samples) AS sample_count
FROM
(
    SELECT function, origin, self_weight_s, weight_s, samples
    FROM function_steps
    WHERE day >= toDate(intDiv({from_ms:UInt64}, 86400000))
        AND day <= toDate(intDiv({to_ms:UInt64}, 86400000))
        AND start_ms >= {from_ms:UInt64} AND start_ms < {to_ms:UInt64}
        AND service = {service:String}
        AND ({endpoint:String} = '' OR endpoint = {endpoint:String})
        AND ({release:String} = '' OR release = {release:String})
        AND version IN (SELECT arrayJoin({steps:Array(UInt64)}))
    UNION ALL
    SELECT function, origin, self_weight_s, weight_s, samples
    FROM function_hours
    WHERE day >= toDate(intDiv({from_ms:UInt64}, 86400000))
        AND day <= toDate(intDiv({to_ms:UInt64}, 86400000))
        AND start_ms >= {from_ms:UInt64} AND start_ms < {to_ms:UInt64}
        AND service = {service:String}
        AND ({endpoint:String} = '' OR endpoint = {endpoint:String})
        AND ({release:String} = '' OR release = {release:String})
        AND version IN (SELECT arrayJoin({hours:Array(UInt64)}))
)
GROUP BY function
ORDER BY function
