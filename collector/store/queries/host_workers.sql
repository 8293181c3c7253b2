-- Workers (rings) that served in the last two minutes in which the host served at all.
SELECT service, host, uniqMerge(rings) AS workers
FROM host_minutes
WHERE day >= toDate(intDiv({from_ms:UInt64}, 86400000))
    AND day <= toDate(intDiv({to_ms:UInt64}, 86400000))
    AND minute_ms >= {from_ms:UInt64} AND minute_ms < {to_ms:UInt64}
    AND (service, host, minute_ms) IN
    (
        SELECT service, host, arrayJoin([newest_ms, toUInt64(newest_ms - 60000)]) AS minute_ms
        FROM
        (
            SELECT service, host, max(minute_ms) AS newest_ms
            FROM host_minutes
            WHERE day >= toDate(intDiv({from_ms:UInt64}, 86400000))
                AND day <= toDate(intDiv({to_ms:UInt64}, 86400000))
                AND minute_ms >= {from_ms:UInt64} AND minute_ms < {to_ms:UInt64}
                AND ({service:String} = '' OR service = {service:String})
            GROUP BY service, host
        )
    )
GROUP BY service, host
ORDER BY service, host
