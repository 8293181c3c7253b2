-- How many rows federation.sql has without its limit.
SELECT uniqExact(service, endpoint, release, cost_unit) AS size
FROM endpoint_minutes
WHERE day = toDate(intDiv({day_ms:UInt64}, 86400000))
