-- The newest value of each metric of a host (those of its workers apart: worker_metrics.sql); labels in braces make
-- a name of their own. Names are made only once they are few.
SELECT
    service, host,
    if(empty(labels), toString(name), concat(toString(name), '{', arrayStringConcat(labels, ','), '}')) AS metric,
    argMax(newest_value, newest_ms) AS newest,
    max(newest_ms) AS last_seen_ms
FROM
(
    SELECT service, host, name, labels, argMax(value, ts_ms) AS newest_value, max(ts_ms) AS newest_ms
    FROM metrics
    WHERE day >= toDate(intDiv({from_ms:UInt64}, 86400000))
        AND day <= toDate(intDiv({to_ms:UInt64}, 86400000))
        AND ts_ms >= {from_ms:UInt64} AND ts_ms < {to_ms:UInt64}
        AND ({service:String} = '' OR service = {service:String})
        AND source IN ('host', 'worker', 'uwsgi', 'agent')
    GROUP BY service, host, name, labels
)
WHERE NOT arrayExists(x -> substring(x, 1, 4) = 'pid=', labels)
GROUP BY service, host, metric
ORDER BY service, host, metric
