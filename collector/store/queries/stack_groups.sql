-- stack_windows.sql for many hosts: sums per group of hosts and hour (0: all of them), without samples from windows
-- of `young_ms` in which their host mostly served requests of its warm-up. In no order.
SELECT
    toUInt8(cityHash64(toString(host)) % {groups:UInt8}) AS host_group,
    if({by_hour:UInt8} = 1, intDiv(ts_ms, 3600000), 0) AS hour,
    endpoint,
    stack_id,
    contended,
    sum(toUInt64(samples)) AS sample_count,
    sum(weight_s) AS weight_sum
FROM stack_samples
WHERE day >= toDate(intDiv({from_ms:UInt64}, 86400000))
    AND day <= toDate(intDiv({to_ms:UInt64}, 86400000))
    AND ts_ms >= {from_ms:UInt64} AND ts_ms < {to_ms:UInt64}
    AND service = {service:String}
    AND ({endpoint:String} = '' OR endpoint = {endpoint:String})
    AND ({release:String} = '' OR release = {release:String})
    AND ({host:String} = '' OR host = {host:String})
    AND ({region:String} = '' OR region = {region:String})
    AND {flag:String} = ''
    AND ({runtime:String} = '' OR ring_id GLOBAL IN
    (
        SELECT ring_id
        FROM requests
        WHERE day >= toDate(intDiv({from_ms:UInt64}, 86400000))
            AND day <= toDate(intDiv({to_ms:UInt64}, 86400000))
            AND service = {service:String}
            AND runtime = {runtime:String}
    ))
    AND ({has_young:UInt8} = 0 OR (toString(host), intDiv(ts_ms, {young_ms:UInt64})) GLOBAL NOT IN
    (
        SELECT toString(host), intDiv(ts_ms, {young_ms:UInt64}) AS win
        FROM requests
        WHERE {has_young:UInt8} = 1
            AND day >= toDate(intDiv({from_ms:UInt64}, 86400000))
            AND day <= toDate(intDiv({to_ms:UInt64}, 86400000))
            AND ts_ms >= {from_ms:UInt64} AND ts_ms < {to_ms:UInt64}
            AND service = {service:String}
            AND ({endpoint:String} = '' OR endpoint = {endpoint:String})
            AND ({release:String} = '' OR release = {release:String})
            AND ({host:String} = '' OR host = {host:String})
            AND ({region:String} = '' OR region = {region:String})
            AND ({runtime:String} = '' OR runtime = {runtime:String})
        GROUP BY toString(host), win
        HAVING sum(toFloat64(weight) * (1 - killed)
            * if(worker_req > {warmup_requests:UInt64} OR worker_age_s > {warmup_s:UInt64}, 1, -1)) <= 0
    ))
GROUP BY host_group, hour, endpoint, stack_id, contended
