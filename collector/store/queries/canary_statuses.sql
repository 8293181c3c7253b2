-- Requests per host, window, release, endpoint and status, of two releases.
SELECT
    host, intDiv(ts_ms, {window_ms:UInt64}) AS win, release, endpoint, status,
    sum(toFloat64(weight)) AS n
FROM requests
WHERE day >= toDate(intDiv({from_ms:UInt64}, 86400000))
    AND day <= toDate(intDiv({to_ms:UInt64}, 86400000))
    AND ts_ms >= {from_ms:UInt64} AND ts_ms < {to_ms:UInt64}
    AND service = {service:String}
    AND (release = {release:String} OR release = {control:String})
    AND ({endpoint:String} = '' OR endpoint = {endpoint:String})
    AND status > 0
GROUP BY host, win, release, endpoint, status
ORDER BY host, win, release, endpoint, status
