-- Sums of one UTC day by service, endpoint, release and unit; those with most requests first.
SELECT
    service, endpoint, release, cost_unit,
    sum(n) AS requests,
    sum(errors) AS error_count,
    sum(cost_sum) AS cost_total,
    sum(wall_sum) AS wall_total,
    tupleElement(sumMap(`wallMap.bucket`, `wallMap.n`), 1) AS wall_buckets,
    tupleElement(sumMap(`wallMap.bucket`, `wallMap.n`), 2) AS wall_counts
FROM endpoint_steps
WHERE day = toDate(intDiv({day_ms:UInt64}, 86400000)) AND step_ms = 86400000 AND of_all = 0
GROUP BY service, endpoint, release, cost_unit
ORDER BY requests DESC, service, endpoint, release, cost_unit
LIMIT {rows_max:UInt64}
