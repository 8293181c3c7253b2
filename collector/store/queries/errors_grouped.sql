-- Errors by fingerprint in a window, the most frequent first, with the newest message and trace.
SELECT
    service,
    error_fp,
    argMax(type, ts_ms) AS newest_type,
    argMax(message, ts_ms) AS newest_message,
    arrayMap(x -> toString(x), argMax(top_frames, ts_ms)) AS newest_frames,
    argMax(trace_id, ts_ms) AS newest_trace,
    toUInt64(count()) AS events,
    min(ts_ms) AS first_ms,
    max(ts_ms) AS last_ms,
    arraySort(groupUniqArray(toString(release))) AS releases,
    arraySort(groupUniqArray(toString(endpoint))) AS endpoints
FROM errors
WHERE day >= toDate(intDiv({from_ms:UInt64}, 86400000))
  AND day <= toDate(intDiv({to_ms:UInt64}, 86400000))
  AND ts_ms >= {from_ms:UInt64} AND ts_ms < {to_ms:UInt64}
  AND ({service:String} = '' OR service = {service:String})
  AND ({error_fp:UInt64} = 0 OR error_fp = {error_fp:UInt64})
GROUP BY service, error_fp
ORDER BY events DESC, last_ms DESC
LIMIT {limit:UInt64}
