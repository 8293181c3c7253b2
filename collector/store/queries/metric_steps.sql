-- metric_sets.sql in steps of time; `hosts`: also what hosts measured of themselves (service '').
SELECT
    intDiv(ts_ms, {step_ms:UInt64}) * {step_ms:UInt64} AS step_start_ms,
    service,
    host,
    arrayStringConcat(arrayMap(x -> toString(x), labels), '\n') AS labelled,
    any(toString(kind)) AS kind_of,
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
  AND ({service:String} = '' OR service = {service:String} OR (service = '' AND {hosts:UInt8} = 1))
GROUP BY step_start_ms, service, host, labelled
ORDER BY step_start_ms, service, host, labelled
