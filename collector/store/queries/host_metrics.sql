-- The newest value of each metric of a host or of its workers, by its labels (`words`). Labels are compared by their
-- hash, and words are made of them only once they are few. By that hash: to sort by names takes as long as to read.
SELECT
    service, host,
    toString(name) AS metric,
    arrayMap(x -> toString(x), some_labels) AS words,
    newest,
    last_seen_ms
FROM
(
    SELECT
        service, host, name, cityHash64(labels) AS labels_hash,
        any(labels) AS some_labels,
        argMax(value, ts_ms) AS newest,
        max(ts_ms) AS last_seen_ms
    FROM metrics
    WHERE day >= toDate(intDiv({from_ms:UInt64}, 86400000))
        AND day <= toDate(intDiv({to_ms:UInt64}, 86400000))
        AND ts_ms >= {from_ms:UInt64} AND ts_ms < {to_ms:UInt64}
        AND ({service:String} = '' OR service = {service:String})
        AND source IN ('host', 'worker', 'uwsgi', 'agent')
        AND ({all_hosts:UInt8} = 1 OR host IN (SELECT arrayJoin({named_hosts:Array(String)})))
    GROUP BY service, host, name, labels_hash
)
ORDER BY labels_hash
