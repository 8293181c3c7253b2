-- Which lines of own code the sampler saw functions at, for the source view.
CREATE TABLE IF NOT EXISTS line_samples {on_cluster}
(
    day Date,
    batch_id String,
    ts_ms UInt64,
    service LowCardinality(String),
    host LowCardinality(String),
    region LowCardinality(String),
    release LowCardinality(String),
    endpoint LowCardinality(String),
    function LowCardinality(String),
    file LowCardinality(String),
    line UInt32,
    samples UInt32,
    self_samples UInt32,
    weight_s Float64
)
ENGINE = {replicated}MergeTree{zookeeper_path}
PARTITION BY day
ORDER BY (service, function, ts_ms)
{deduplicated};
