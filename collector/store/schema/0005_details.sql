-- What is known of single requests: the spans of kept traces, the functions of profiled requests.
CREATE TABLE IF NOT EXISTS spans {on_cluster}
(
    day Date,
    batch_id String,
    ts_ms UInt64,
    service LowCardinality(String),
    host LowCardinality(String),
    region LowCardinality(String),
    trace_id String,
    span_id String,
    parent_id String,
    name LowCardinality(String),
    kind LowCardinality(String),
    started_ns UInt64,
    wall_ns UInt64,
    status UInt16,
    outcome LowCardinality(String),
    release LowCardinality(String),
    endpoint LowCardinality(String)
)
ENGINE = {replicated}MergeTree{zookeeper_path}
PARTITION BY day
ORDER BY (trace_id, started_ns)
{deduplicated};

CREATE TABLE IF NOT EXISTS function_costs {on_cluster}
(
    day Date,
    batch_id String,
    ts_ms UInt64,
    service LowCardinality(String),
    host LowCardinality(String),
    region LowCardinality(String),
    trace_id String,
    release LowCardinality(String),
    endpoint LowCardinality(String),
    function LowCardinality(String),
    caller LowCardinality(String),
    calls UInt32,
    cost_self UInt64,
    cost_inclusive UInt64,
    cost_unit LowCardinality(String)
)
ENGINE = {replicated}MergeTree{zookeeper_path}
PARTITION BY day
ORDER BY (service, endpoint, ts_ms)
{deduplicated};
