-- What the sampler saw, and the stacks themselves, once each.
CREATE TABLE IF NOT EXISTS stack_samples {on_cluster}
(
    day Date,
    batch_id String,
    ts_ms UInt64,
    service LowCardinality(String),
    host LowCardinality(String),
    region LowCardinality(String),
    ring_id UInt64,
    pid UInt32,
    worker UInt32,
    release LowCardinality(String),
    endpoint LowCardinality(String),
    stack_id UInt64,
    samples UInt32,
    weight_s Float64,
    window_ms UInt32,
    late_ns UInt64,
    contended UInt8
)
ENGINE = {replicated}MergeTree{zookeeper_path}
PARTITION BY day
ORDER BY (service, endpoint, ts_ms)
{deduplicated};

CREATE TABLE IF NOT EXISTS stacks {on_cluster}
(
    day Date,
    batch_id String,
    ts_ms UInt64,
    service LowCardinality(String),
    host LowCardinality(String),
    region LowCardinality(String),
    stack_id UInt64,
    frames Array(LowCardinality(String)),
    lines Array(UInt32),
    origins Array(UInt8)
)
ENGINE = {replicated}ReplacingMergeTree{zookeeper_path}
PARTITION BY day
ORDER BY stack_id
{deduplicated};
