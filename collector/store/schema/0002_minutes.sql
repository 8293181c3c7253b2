-- Sums of weight x value by minute. A killed request has no cost and no latency: it counts in n,
-- errors, killed and crashed, and in no sum or histogram, so means divide by n - killed.
-- wallMap, costMap: buckets of requests.wall_bucket and cost_bucket, merged by SummingMergeTree because
-- their names end in Map.

CREATE TABLE IF NOT EXISTS endpoint_minutes {on_cluster}
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
ORDER BY (service, minute_ms, endpoint, release, region, cell, kind, status_class, cost_unit, cpu_model)
{deduplicated};

CREATE MATERIALIZED VIEW IF NOT EXISTS endpoint_minutes_view {on_cluster} TO {tables}endpoint_minutes AS
WITH toFloat64(weight) AS w, w * (outcome != 'killed') AS live
SELECT
    day,
    service,
    endpoint,
    release,
    region,
    cell,
    kind,
    toUInt8(intDiv(status, 100)) AS status_class,
    cost_unit,
    cpu_model,
    intDiv(ts_ms, 60000) * 60000 AS minute_ms,
    sum(w) AS n,
    sum(w * failed) AS errors,
    sum(w * (outcome = 'killed')) AS killed,
    sum(w * (outcome = 'error' OR outcome = 'killed')) AS crashed,
    sum(w * (outcome = 'disconnected')) AS disconnected,
    sum(w * (status = 429)) AS throttled,
    sum(live * cost) AS cost_sum,
    sum(live * cost * cost) AS cost_sq,
    sum(live * task_clock_ns) AS task_clock_sum,
    sum(live * task_clock_ns * task_clock_ns) AS task_clock_sq,
    sum(live * wall_ns) AS wall_sum,
    sum(live * wall_ns * wall_ns) AS wall_sq,
    sum(live * db_ns) AS db_ns_sum,
    sum(live * db_calls) AS db_calls_sum,
    sum(live * cache_ns) AS cache_ns_sum,
    sum(live * cache_calls) AS cache_calls_sum,
    sum(live * rpc_ns) AS rpc_ns_sum,
    sum(live * rpc_calls) AS rpc_calls_sum,
    sum(live * gc_ns) AS gc_ns_sum,
    tupleElement(sumMap(array(wall_bucket), array(live)), 1) AS `wallMap.bucket`,
    tupleElement(sumMap(array(wall_bucket), array(live)), 2) AS `wallMap.n`,
    tupleElement(sumMap(array(cost_bucket), array(live)), 1) AS `costMap.bucket`,
    tupleElement(sumMap(array(cost_bucket), array(live)), 2) AS `costMap.n`,
    uniqIfState(user_hash, user_hash != 0) AS users,
    uniqState(ring_id) AS rings,
    minState(ts_ms) AS first_ms,
    maxState(ts_ms) AS last_ms
FROM {tables}requests
GROUP BY day, service, endpoint, release, region, cell, kind, status_class, cost_unit, cpu_model, minute_ms;

CREATE TABLE IF NOT EXISTS host_minutes {on_cluster}
(
    day Date,
    host LowCardinality(String),
    region LowCardinality(String),
    service LowCardinality(String),
    release LowCardinality(String),
    cost_unit LowCardinality(String),
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
ORDER BY (service, host, minute_ms, region, release, cost_unit)
{deduplicated};

CREATE MATERIALIZED VIEW IF NOT EXISTS host_minutes_view {on_cluster} TO {tables}host_minutes AS
WITH toFloat64(weight) AS w, w * (outcome != 'killed') AS live
SELECT
    day,
    host,
    region,
    service,
    release,
    cost_unit,
    intDiv(ts_ms, 60000) * 60000 AS minute_ms,
    sum(w) AS n,
    sum(w * failed) AS errors,
    sum(w * (outcome = 'killed')) AS killed,
    sum(w * (outcome = 'error' OR outcome = 'killed')) AS crashed,
    sum(w * (outcome = 'disconnected')) AS disconnected,
    sum(w * (status = 429)) AS throttled,
    sum(live * cost) AS cost_sum,
    sum(live * cost * cost) AS cost_sq,
    sum(live * task_clock_ns) AS task_clock_sum,
    sum(live * task_clock_ns * task_clock_ns) AS task_clock_sq,
    sum(live * wall_ns) AS wall_sum,
    sum(live * wall_ns * wall_ns) AS wall_sq,
    sum(live * db_ns) AS db_ns_sum,
    sum(live * db_calls) AS db_calls_sum,
    sum(live * cache_ns) AS cache_ns_sum,
    sum(live * cache_calls) AS cache_calls_sum,
    sum(live * rpc_ns) AS rpc_ns_sum,
    sum(live * rpc_calls) AS rpc_calls_sum,
    sum(live * gc_ns) AS gc_ns_sum,
    tupleElement(sumMap(array(wall_bucket), array(live)), 1) AS `wallMap.bucket`,
    tupleElement(sumMap(array(wall_bucket), array(live)), 2) AS `wallMap.n`,
    tupleElement(sumMap(array(cost_bucket), array(live)), 1) AS `costMap.bucket`,
    tupleElement(sumMap(array(cost_bucket), array(live)), 2) AS `costMap.n`,
    uniqIfState(user_hash, user_hash != 0) AS users,
    uniqState(ring_id) AS rings,
    minState(ts_ms) AS first_ms,
    maxState(ts_ms) AS last_ms
FROM {tables}requests
GROUP BY day, host, region, service, release, cost_unit, minute_ms;
