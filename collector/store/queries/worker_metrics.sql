-- The newest value of each metric of a worker: what has its pid as a label. Words are made of labels only once
-- they are few.
SELECT
    service, host, toString(name) AS metric,
    arrayMap(x -> toString(x), labels) AS words,
    newest,
    last_seen_ms
FROM
(
    SELECT service, host, name, labels, argMax(value, ts_ms) AS newest, max(ts_ms) AS last_seen_ms
    FROM metrics
    WHERE day >= toDate(intDiv({from_ms:UInt64}, 86400000))
        AND day <= toDate(intDiv({to_ms:UInt64}, 86400000))
        AND ts_ms >= {from_ms:UInt64} AND ts_ms < {to_ms:UInt64}
        AND ({service:String} = '' OR service = {service:String})
        AND source IN ('worker', 'uwsgi')
    GROUP BY service, host, name, labels
)
WHERE arrayExists(x -> substring(x, 1, 4) = 'pid=', labels)
ORDER BY service, host, metric, words
