-- Errors by fingerprint: first and newest time in all that is kept, how many in the window, and the
-- most in any stretch of the same length before it.
SELECT
    service,
    error_fp,
    min(first_ms) AS first_seen_ms,
    max(last_ms) AS last_seen_ms,
    sum(if(stretch = 0, n, 0)) AS now_n,
    max(if(stretch > 0, n, 0)) AS before_n,
    sum(n) AS all_n
FROM
(
    SELECT
        service,
        error_fp,
        toUInt32(intDiv({to_ms:UInt64} - ts_ms - 1, {length_ms:UInt64})) AS stretch,
        count() AS n,
        min(ts_ms) AS first_ms,
        max(ts_ms) AS last_ms
    FROM errors
    WHERE ts_ms < {to_ms:UInt64}
      AND ({service:String} = '' OR service = {service:String})
    GROUP BY service, error_fp, stretch
)
GROUP BY service, error_fp
ORDER BY service, now_n DESC, error_fp
LIMIT {limit:UInt64}
