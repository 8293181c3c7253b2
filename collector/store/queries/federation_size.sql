-- How many rows federation.sql has without its limit.
SELECT uniqExact(service, endpoint, release, cost_unit) AS size
FROM endpoint_steps
WHERE day = toDate(intDiv({day_ms:UInt64}, 86400000)) AND step_ms = 86400000 AND of_all = 0
