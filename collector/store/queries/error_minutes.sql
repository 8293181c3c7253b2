-- Errors by fingerprint and minute, in all that is kept; minutes named by their end.
SELECT
    service,
    error_fp,
    any(type) AS some_type,
    toUInt64(intDiv(ts_ms, 60000) * 60000 + 60000) AS until_ms,
    toUInt64(count()) AS n,
    min(ts_ms) AS first_ms,
    max(ts_ms) AS last_ms
FROM errors
WHERE ts_ms < {to_ms:UInt64}
  AND ({service:String} = '' OR service = {service:String})
GROUP BY service, error_fp, until_ms
ORDER BY service, error_fp, until_ms
