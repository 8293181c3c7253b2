SELECT
    ts_ms, service, kind, release, previous,
    arrayMap(x -> toString(x), commits) AS commits,
    arrayMap(x -> toString(x), changed_functions) AS changed_functions,
    note
FROM changes
WHERE day >= toDate(intDiv({from_ms:UInt64}, 86400000))
    AND day <= toDate(intDiv({to_ms:UInt64}, 86400000))
    AND ts_ms >= {from_ms:UInt64} AND ts_ms < {to_ms:UInt64}
    AND ({service:String} = '' OR service = {service:String})
ORDER BY ts_ms, service, kind, release
