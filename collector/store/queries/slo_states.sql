-- The newest evaluation of each SLO in the window, one row a number.
SELECT
    service,
    arrayFirst(label -> label LIKE 'slo=%', labels) AS slo,
    name,
    argMax(value, ts_ms) AS newest_value,
    arrayMap(x -> toString(x), argMax(labels, ts_ms)) AS newest_labels,
    max(ts_ms) AS newest_ms
FROM metrics
WHERE day >= toDate(intDiv({from_ms:UInt64}, 86400000))
  AND day <= toDate(intDiv({to_ms:UInt64}, 86400000))
  AND ts_ms >= {from_ms:UInt64} AND ts_ms < {to_ms:UInt64}
  AND source = 'slo'
GROUP BY service, slo, name
ORDER BY service, slo, name
LIMIT {limit:UInt64}
