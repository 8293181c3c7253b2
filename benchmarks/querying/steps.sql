-- Steps of one day, of each endpoint or of all, out of what {source} names.
INSERT INTO endpoint_steps SETTINGS optimize_on_insert = 0
SELECT
    day, service,
    toUInt32({step_ms:UInt64}) AS step,
    toUInt8({of_all:UInt8}) AS all_of_them,
    intDiv(at_ms, {block_ms:UInt64}) * {block_ms:UInt64} AS block,
    name, release, kind, status_class, cost_unit, at_ms,
    sum(n), sum(errors), sum(killed), sum(crashed), sum(disconnected), sum(throttled),
    sum(cost_sum), sum(task_clock_sum), sum(wall_sum), sum(db_ns_sum), sum(cache_ns_sum), sum(rpc_ns_sum),
    tupleElement(sumMap(`wallMap.bucket`, `wallMap.n`), 1),
    tupleElement(sumMap(`wallMap.bucket`, `wallMap.n`), 2),
    maxMergeState(last_ms)
FROM
(
    SELECT
        *,
        intDiv({time}, {step_ms:UInt64}) * {step_ms:UInt64} AS at_ms,
        if({of_all:UInt8} = 1, '', toString(endpoint)) AS name
    FROM {source}
    WHERE day = toDate(intDiv({day_ms:UInt64}, 86400000))
)
GROUP BY day, service, name, release, kind, status_class, cost_unit, at_ms
