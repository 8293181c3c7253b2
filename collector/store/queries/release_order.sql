-- The releases of a service by their first request.
SELECT
    release,
    minMerge(first_ms) AS first_seen_ms,
    maxMerge(last_ms) AS last_seen_ms
FROM service_days
WHERE service = {service:String}
GROUP BY release
ORDER BY first_seen_ms, release
