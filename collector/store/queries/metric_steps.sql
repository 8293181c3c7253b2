-- One metric over time, by service, host, kind and labels.
SELECT
    intDiv(ts_ms, {step_ms:UInt64}) * {step_ms:UInt64} AS step_start_ms,
    service, host, toString(kind) AS kind_of,
    arrayStringConcat(arrayMap(x -> toString(x), labels), '\n') AS labelled,
    any(toString(unit)) AS units,
    count() AS points,
    sum(value) AS summed
FROM metrics
WHERE day >= toDate(intDiv({from_ms:UInt64}, 86400000))
    AND day <= toDate(intDiv({to_ms:UInt64}, 86400000))
    AND ts_ms >= {from_ms:UInt64} AND ts_ms < {to_ms:UInt64}
    AND name = {metric:String}
    AND ({service:String} = '' OR service = {service:String} OR service = '')
GROUP BY step_start_ms, service, host, kind_of, labelled
ORDER BY service, host, kind_of, labelled, step_start_ms
