-- The whole minutes with most requests, per unit: what they cost, and how many users were active. Of all
-- endpoints, users are counted in these minutes only; of one, where rows are few, they are read once.
SELECT
    intDiv(ts_ms, 60000) AS minute,
    cost_unit,
    sum(toFloat64(weight) * (1 - killed)) AS n,
    sum(toFloat64(weight) * (1 - killed) * cost) AS cost_sum,
    uniqExactIf(user_hash, user_hash != 0) AS users
FROM requests
WHERE day >= toDate(intDiv({from_ms:UInt64}, 86400000))
    AND day <= toDate(intDiv({to_ms:UInt64}, 86400000))
    AND ts_ms >= intDiv({from_ms:UInt64} + 59999, 60000) * 60000
    AND ts_ms < intDiv({to_ms:UInt64}, 60000) * 60000
    AND service = {service:String}
    AND ({endpoint:String} = '' OR endpoint = {endpoint:String})
    AND ({release:String} = '' OR release = {release:String})
    AND ({host:String} = '' OR host = {host:String})
    AND ({region:String} = '' OR region = {region:String})
    AND ({runtime:String} = '' OR runtime = {runtime:String})
    AND ({flag:String} = '' OR has(flags, {flag:String}))
    AND ({endpoint:String} != '' OR (intDiv(ts_ms, 60000), toString(cost_unit)) GLOBAL IN
    (
        SELECT minute, unit
        FROM
        (
            SELECT
                intDiv(ts_ms, 60000) AS minute,
                toString(cost_unit) AS unit,
                sum(toFloat64(weight) * (1 - killed)) AS n,
                sum(user_hash != 0) AS known
            FROM requests
            WHERE {endpoint:String} = ''
                AND day >= toDate(intDiv({from_ms:UInt64}, 86400000))
                AND day <= toDate(intDiv({to_ms:UInt64}, 86400000))
                AND ts_ms >= intDiv({from_ms:UInt64} + 59999, 60000) * 60000
                AND ts_ms < intDiv({to_ms:UInt64}, 60000) * 60000
                AND service = {service:String}
                AND ({release:String} = '' OR release = {release:String})
                AND ({host:String} = '' OR host = {host:String})
                AND ({region:String} = '' OR region = {region:String})
                AND ({runtime:String} = '' OR runtime = {runtime:String})
                AND ({flag:String} = '' OR has(flags, {flag:String}))
            GROUP BY minute, unit
            HAVING known > 0
            ORDER BY n DESC, minute
            LIMIT 1 BY unit
        )
    ))
GROUP BY minute, cost_unit
HAVING users > 0
ORDER BY n DESC, minute
LIMIT 1 BY cost_unit
