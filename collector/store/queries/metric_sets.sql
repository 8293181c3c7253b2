-- What the points of one metric in a window come to, by service, host and labels.
SELECT
    service,
    host,
    arrayStringConcat(arrayMap(x -> toString(x), labels), '\n') AS labelled,
    toFloat64(count()) AS points,
    sum(value) AS summed,
    min(value) AS lowest,
    max(value) AS highest,
    argMax(value, ts_ms) AS newest,
    max(ts_ms) AS newest_ms,
    any(unit) AS unit_of
FROM metrics
WHERE day >= toDate(intDiv({from_ms:UInt64}, 86400000))
  AND day <= toDate(intDiv({to_ms:UInt64}, 86400000))
  AND ts_ms >= {from_ms:UInt64} AND ts_ms < {to_ms:UInt64}
  AND name = {metric:String}
  AND ({service:String} = '' OR service = {service:String})
GROUP BY service, host, labelled
ORDER BY service, host, labelled
