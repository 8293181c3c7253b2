-- Who silenced which alerts until when, and how each evaluator fares; the state is the newest event.
CREATE TABLE IF NOT EXISTS silence_events {on_cluster}
(
    day Date,
    batch_id String,
    ts_ms UInt64,
    service LowCardinality(String),
    host LowCardinality(String),
    region LowCardinality(String),
    id String,
    state LowCardinality(String),
    `by` LowCardinality(String),
    reason String,
    json String
)
ENGINE = {replicated}MergeTree{zookeeper_path}
PARTITION BY day
ORDER BY (id, ts_ms)
{deduplicated};

CREATE TABLE IF NOT EXISTS evaluator_events {on_cluster}
(
    day Date,
    batch_id String,
    ts_ms UInt64,
    service LowCardinality(String),
    host LowCardinality(String),
    region LowCardinality(String),
    id String,
    json String
)
ENGINE = {replicated}MergeTree{zookeeper_path}
PARTITION BY day
ORDER BY (id, ts_ms)
{deduplicated};
