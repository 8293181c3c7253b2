-- endpoint_minutes, a day after the other, by the hour: `minute_ms` is the hour's start. A day is in one
-- of the two tables, so endpoint_times, which reads both, counts all of them once.
CREATE TABLE IF NOT EXISTS endpoint_hours {on_cluster}
(
    day Date,
    service LowCardinality(String),
    endpoint LowCardinality(String),
    release LowCardinality(String),
    region LowCardinality(String),
    cell UInt8,
    kind LowCardinality(String),
    status_class UInt8,
    cost_unit LowCardinality(String),
    cpu_model LowCardinality(String),
    minute_ms UInt64,
    n Float64,
    errors Float64,
    killed Float64,
    crashed Float64,
    disconnected Float64,
    throttled Float64,
    cost_sum Float64,
    cost_sq Float64,
    task_clock_sum Float64,
    task_clock_sq Float64,
    wall_sum Float64,
    wall_sq Float64,
    db_ns_sum Float64,
    db_calls_sum Float64,
    cache_ns_sum Float64,
    cache_calls_sum Float64,
    rpc_ns_sum Float64,
    rpc_calls_sum Float64,
    gc_ns_sum Float64,
    wallMap Nested(bucket Int32, n Float64),
    costMap Nested(bucket Int32, n Float64),
    users AggregateFunction(uniqIf, UInt64, UInt8),
    rings AggregateFunction(uniq, UInt64),
    first_ms AggregateFunction(min, UInt64),
    last_ms AggregateFunction(max, UInt64)
)
ENGINE = {replicated}SummingMergeTree{zookeeper_path}
PARTITION BY day
ORDER BY (service, minute_ms, endpoint, release, region, cell, kind, status_class, cost_unit, cpu_model);

CREATE TABLE IF NOT EXISTS endpoint_times {on_cluster} AS {tables}endpoint_minutes
ENGINE = Merge({database}, '^endpoint_(minutes|hours)$');
