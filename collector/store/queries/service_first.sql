-- The first request of each service that is kept.
SELECT service, minMerge(first_ms) AS first_seen_ms
FROM service_days
GROUP BY service
