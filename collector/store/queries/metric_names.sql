-- Which metrics there are: how many sets of labels and hosts, and their newest values; host's own have service ''.
SELECT
    metric,
    source_of,
    kind_of,
    any(unit_of) AS units,
    uniqExact(host) AS hosts,
    count() AS sets,
    min(newest_value) AS lowest,
    max(newest_value) AS highest,
    max(newest_ms) AS last_seen_ms
FROM
(
    SELECT
        toString(name) AS metric, toString(source) AS source_of, toString(kind) AS kind_of,
        any(toString(unit)) AS unit_of, service, host, labels,
        argMax(value, ts_ms) AS newest_value, max(ts_ms) AS newest_ms
    FROM metrics
    WHERE day >= toDate(intDiv({from_ms:UInt64}, 86400000))
        AND day <= toDate(intDiv({to_ms:UInt64}, 86400000))
        AND ts_ms >= {from_ms:UInt64} AND ts_ms < {to_ms:UInt64}
        AND ({service:String} = '' OR service = {service:String} OR service = '')
    GROUP BY metric, source_of, kind_of, service, host, labels
)
GROUP BY metric, source_of, kind_of
ORDER BY source_of, metric, kind_of
