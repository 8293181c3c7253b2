-- Adds to service_days what it lacks: its view over the raw rows of some minutes, where those began
-- earlier or ended later than what is there. States are united, which changes nothing if done again.
INSERT INTO service_days {never_deduplicated}
SELECT day, service, release, region, host, minMergeState(first_ms), maxMergeState(last_ms)
FROM
(
    SELECT *, toUInt8(1) AS is_raw FROM ({view})
    UNION ALL
    SELECT *, toUInt8(0) AS is_raw
    FROM service_days
    WHERE day = toDate(intDiv({from_ms:UInt64}, 86400000))
        AND service >= {first_service:String} AND service <= {last_service:String}
)
GROUP BY day, service, release, region, host
HAVING max(is_raw) = 1 AND (
    min(is_raw) = 1
    OR minMerge(first_ms) != minMergeIf(first_ms, is_raw = 0)
    OR maxMerge(last_ms) != maxMergeIf(last_ms, is_raw = 0)
)
