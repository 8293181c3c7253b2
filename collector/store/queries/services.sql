-- Every service that ever sent a request, its hosts and regions.
SELECT
    service,
    arraySort(groupUniqArray(toString(host))) AS hosts,
    arraySort(groupUniqArray(toString(region))) AS regions,
    maxMerge(last_ms) AS last_seen_ms
FROM service_days
GROUP BY service
ORDER BY service
