-- Which process of which host served which of two releases.
SELECT host, pid, release, count() AS requests
FROM requests
WHERE day >= toDate(intDiv({from_ms:UInt64}, 86400000))
    AND day <= toDate(intDiv({to_ms:UInt64}, 86400000))
    AND ts_ms >= {from_ms:UInt64} AND ts_ms < {to_ms:UInt64}
    AND service = {service:String}
    AND (release = {release:String} OR release = {control:String})
GROUP BY host, pid, release
ORDER BY host, pid, release
