-- Sums per flag value, endpoint, unit and group of users, past warm-up. n: not killed.
SELECT
    flag, endpoint, cost_unit, user_group,
    sum(live) AS n,
    sum(live * cost) AS cost_sum,
    uniqExactIf(user_hash, user_hash != 0) AS users
FROM
(
    SELECT
        arrayJoin(arrayMap(x -> toString(x), flags)) AS flag,
        endpoint, cost_unit, cost, user_hash,
        if(user_hash != 0, user_hash, seq) % 16 AS user_group,
        toFloat64(weight) * (1 - killed) AS live
    FROM requests
    WHERE day >= toDate(intDiv({from_ms:UInt64}, 86400000))
        AND day <= toDate(intDiv({to_ms:UInt64}, 86400000))
        AND ts_ms >= {from_ms:UInt64} AND ts_ms < {to_ms:UInt64}
        AND service = {service:String}
        AND ({endpoint:String} = '' OR endpoint = {endpoint:String})
        AND (worker_req > {warmup_requests:UInt64} OR worker_age_s > {warmup_s:UInt64})
)
GROUP BY flag, endpoint, cost_unit, user_group
ORDER BY flag, endpoint, cost_unit, user_group
