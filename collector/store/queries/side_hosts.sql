-- The hosts of a side, the group of hosts that each is in where there are many, its first and last request, and
-- how many of its requests were of a worker's warm-up.
SELECT
    host,
    toUInt8(cityHash64(toString(host)) % {groups:UInt8}) AS host_group,
    count() AS seen,
    min(ts_ms) AS first_ms,
    max(ts_ms) AS last_ms,
    sum(NOT (worker_req > {warmup_requests:UInt64} OR worker_age_s > {warmup_s:UInt64})) AS young
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
GROUP BY host
ORDER BY host
