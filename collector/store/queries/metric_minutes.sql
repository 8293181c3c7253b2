-- metric_sets.sql by the minute, minutes named by their end.
SELECT
    toUInt64(intDiv(ts_ms, 60000) * 60000 + 60000) AS until_ms,
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
GROUP BY until_ms, service, host, labelled
ORDER BY until_ms, service, host, labelled
