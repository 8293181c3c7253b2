-- Minutes in which a release served, with its first request in each.
SELECT intDiv(ts_ms, 60000) AS minute, min(ts_ms) AS first_ms, max(ts_ms) AS last_seen_ms
FROM requests
WHERE day >= toDate(intDiv({from_ms:UInt64}, 86400000))
    AND day <= toDate(intDiv({to_ms:UInt64}, 86400000))
    AND ts_ms >= {from_ms:UInt64} AND ts_ms < {to_ms:UInt64}
    AND service = {service:String}
    AND release = {release:String}
    AND ({endpoint:String} = '' OR endpoint = {endpoint:String})
GROUP BY minute
ORDER BY minute
