-- One hour of function_steps, of the versions of its steps that count, as rows of function_hours.
INSERT INTO function_hours
(
    day, service, endpoint, start_ms, version, release, cell, function, origin,
    self_weight_s, weight_s, self_samples, samples
)
SELECT
    day, service, endpoint, {from_ms:UInt64} AS hour_ms, {version:UInt64} AS made, release, cell, function,
    min(origin) AS least_origin,
    sum(self_weight_s) AS self_weight_sum,
    sum(weight_s) AS weight_sum,
    sum(self_samples) AS self_sample_count,
    sum(samples) AS sample_count
FROM {everywhere}function_steps
WHERE day = toDate(intDiv({from_ms:UInt64}, 86400000))
    AND start_ms >= {from_ms:UInt64} AND start_ms < {to_ms:UInt64}
    AND version IN (SELECT arrayJoin({versions:Array(UInt64)}))
GROUP BY day, service, endpoint, release, cell, function
SETTINGS max_execution_time = 0, max_memory_usage = 4000000000
