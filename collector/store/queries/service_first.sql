-- The first request of each service that is kept.
SELECT service, minMerge(first_ms) AS first_seen_ms
FROM endpoint_times
GROUP BY service
