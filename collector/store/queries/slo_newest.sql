-- The newest sign of life of each service: a request, or a measurement of its hosts.
SELECT service, max(newest_ms) AS seen_ms
FROM
(
    SELECT service, max(ts_ms) AS newest_ms
    FROM requests
    WHERE day >= toDate(intDiv({from_ms:UInt64}, 86400000)) AND ts_ms >= {from_ms:UInt64}
    GROUP BY service
    UNION ALL
    SELECT service, max(ts_ms) AS newest_ms
    FROM metrics
    WHERE day >= toDate(intDiv({from_ms:UInt64}, 86400000)) AND ts_ms >= {from_ms:UInt64}
      AND source != 'slo'
    GROUP BY service
)
GROUP BY service
