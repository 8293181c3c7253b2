-- Wall-time histogram per endpoint; killed requests have no latency.
SELECT
    endpoint,
    sum(w) AS requests,
    sum(w * failed) AS errors,
    tupleElement(sumMap(array(wall_bucket), array(live)), 1) AS wall_buckets,
    tupleElement(sumMap(array(wall_bucket), array(live)), 2) AS wall_counts
FROM
(
    SELECT
        endpoint, failed, wall_bucket, toFloat64(weight) AS w,
        toFloat64(weight) * (1 - killed) AS live
    FROM requests
    WHERE day >= toDate(intDiv({from_ms:UInt64}, 86400000))
        AND day <= toDate(intDiv({to_ms:UInt64}, 86400000))
        AND ts_ms >= {from_ms:UInt64} AND ts_ms < {to_ms:UInt64}
        AND service = {service:String}
        AND ({endpoint:String} = '' OR endpoint = {endpoint:String})
        AND ({release:String} = '' OR release = {release:String})
        AND ({host:String} = '' OR host = {host:String})
        AND ({region:String} = '' OR region = {region:String})
        AND ({runtime:String} = '' OR runtime = {runtime:String})
        AND ({flag:String} = '' OR has(flags, {flag:String}))
)
GROUP BY endpoint
ORDER BY endpoint
