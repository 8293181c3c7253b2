-- What pages ask of requests, without cells, regions and CPU models, in steps of 5 minutes, an hour and a day: a
-- window is read in few large steps and, at its ends, in a few small ones. of_all: the sums of all endpoints
-- (`endpoint` is then empty), by the minute, too. block_ms: the start of the hour, day or 32 days that holds the
-- step, so that one endpoint's steps lie together.
-- A partition is a week: a month of steps is in few parts.
-- What an interrupted migration has left is made anew.
DROP TABLE IF EXISTS endpoint_steps_view {on_cluster};

DROP TABLE IF EXISTS endpoint_steps {on_cluster};

CREATE TABLE IF NOT EXISTS endpoint_steps {on_cluster}
(
    day Date,
    service LowCardinality(String),
    step_ms UInt32,
    of_all UInt8,
    block_ms UInt64,
    endpoint LowCardinality(String),
    release LowCardinality(String),
    kind LowCardinality(String),
    status_class UInt8,
    cost_unit LowCardinality(String),
    start_ms UInt64,
    n Float64,
    errors Float64,
    killed Float64,
    crashed Float64,
    disconnected Float64,
    throttled Float64,
    cost_sum Float64,
    task_clock_sum Float64,
    wall_sum Float64,
    db_ns_sum Float64,
    cache_ns_sum Float64,
    rpc_ns_sum Float64,
    wallMap Nested(bucket Int32, n Float64),
    last_ms AggregateFunction(max, UInt64)
)
ENGINE = {replicated}SummingMergeTree{zookeeper_path}
PARTITION BY toMonday(day)
ORDER BY (service, step_ms, of_all, block_ms, endpoint, release, kind, status_class, cost_unit, start_ms)
SETTINGS index_granularity = 256 {and_deduplicated};

INSERT INTO endpoint_steps
(
    day, service, step_ms, of_all, block_ms, endpoint, release, kind, status_class, cost_unit, start_ms,
    n, errors, killed, crashed, disconnected, throttled,
    cost_sum, task_clock_sum, wall_sum, db_ns_sum, cache_ns_sum, rpc_ns_sum,
    `wallMap.bucket`, `wallMap.n`, last_ms
)
WITH
    arrayJoin([
        (60000, 3600000, 1), (300000, 3600000, 1), (3600000, 86400000, 1), (86400000, 2764800000, 1),
        (300000, 3600000, 0), (3600000, 86400000, 0), (86400000, 2764800000, 0)
    ]) AS step,
    toUInt64(tupleElement(step, 2)) AS block_length_ms
SELECT
    day, service,
    toUInt32(tupleElement(step, 1)) AS step_ms,
    toUInt8(tupleElement(step, 3)) AS of_all,
    intDiv(minute_ms, block_length_ms) * block_length_ms AS block_ms,
    toLowCardinality(if(of_all = 1, '', toString(endpoint))) AS endpoint,
    release, kind, status_class, cost_unit,
    intDiv(minute_ms, step_ms) * step_ms AS start_ms,
    n, errors, killed, crashed, disconnected, throttled,
    cost_sum, task_clock_sum, wall_sum, db_ns_sum, cache_ns_sum, rpc_ns_sum,
    `wallMap.bucket`, `wallMap.n`, last_ms
FROM endpoint_times
-- A day that has moved to hours may still have its minutes.
WHERE (minute_ms % 60000 = 1) = (minute_ms < (SELECT max(until_ms) FROM moved_days))
SETTINGS max_execution_time = 0, max_memory_usage = 0, max_block_size = 16384, min_insert_block_size_bytes = 67108864;

CREATE MATERIALIZED VIEW IF NOT EXISTS endpoint_steps_view {on_cluster} TO {tables}endpoint_steps AS
WITH
    arrayJoin([
        (60000, 3600000, 1), (300000, 3600000, 1), (3600000, 86400000, 1), (86400000, 2764800000, 1),
        (300000, 3600000, 0), (3600000, 86400000, 0), (86400000, 2764800000, 0)
    ]) AS step,
    toUInt64(tupleElement(step, 2)) AS block_length_ms
SELECT
    day, service,
    toUInt32(tupleElement(step, 1)) AS step_ms,
    toUInt8(tupleElement(step, 3)) AS of_all,
    intDiv(minute_ms, block_length_ms) * block_length_ms AS block_ms,
    toLowCardinality(if(of_all = 1, '', toString(endpoint))) AS endpoint,
    release, kind, status_class, cost_unit,
    intDiv(minute_ms, step_ms) * step_ms AS start_ms,
    n, errors, killed, crashed, disconnected, throttled,
    cost_sum, task_clock_sum, wall_sum, db_ns_sum, cache_ns_sum, rpc_ns_sum,
    `wallMap.bucket`, `wallMap.n`, last_ms
FROM {tables}endpoint_minutes{pushed}
;
