SELECT
    release,
    minMerge(first_ms) AS first_seen_ms,
    maxMerge(last_ms) AS last_seen_ms,
    sum(n) AS requests
FROM endpoint_times
WHERE service = {service:String}
GROUP BY release
ORDER BY first_seen_ms, release
