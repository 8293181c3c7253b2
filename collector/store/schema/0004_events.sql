-- Everything else that is sent: statements, errors, metrics, changes, limits, alert events.
CREATE TABLE IF NOT EXISTS statements {on_cluster}
(
    day Date,
    batch_id String,
    ts_ms UInt64,
    service LowCardinality(String),
    host LowCardinality(String),
    region LowCardinality(String),
    fingerprint UInt64,
    text String
)
ENGINE = {replicated}ReplacingMergeTree{zookeeper_path}
PARTITION BY day
ORDER BY fingerprint
{deduplicated};

CREATE TABLE IF NOT EXISTS errors {on_cluster}
(
    day Date,
    batch_id String,
    ts_ms UInt64,
    service LowCardinality(String),
    host LowCardinality(String),
    region LowCardinality(String),
    error_fp UInt64,
    type LowCardinality(String),
    message String,
    top_frames Array(LowCardinality(String)),
    release LowCardinality(String),
    endpoint LowCardinality(String),
    trace_id String
)
ENGINE = {replicated}MergeTree{zookeeper_path}
PARTITION BY day
ORDER BY (service, error_fp, ts_ms)
{deduplicated};

CREATE TABLE IF NOT EXISTS metrics {on_cluster}
(
    day Date,
    batch_id String,
    ts_ms UInt64,
    service LowCardinality(String),
    host LowCardinality(String),
    region LowCardinality(String),
    name LowCardinality(String),
    kind LowCardinality(String),
    unit LowCardinality(String),
    labels Array(LowCardinality(String)),
    value Float64,
    source LowCardinality(String)
)
ENGINE = {replicated}MergeTree{zookeeper_path}
PARTITION BY day
ORDER BY (service, name, host, ts_ms)
{deduplicated};

CREATE TABLE IF NOT EXISTS changes {on_cluster}
(
    day Date,
    batch_id String,
    ts_ms UInt64,
    service LowCardinality(String),
    host LowCardinality(String),
    region LowCardinality(String),
    kind LowCardinality(String),
    release LowCardinality(String),
    previous LowCardinality(String),
    commits Array(LowCardinality(String)),
    changed_functions Array(LowCardinality(String)),
    note String
)
ENGINE = {replicated}MergeTree{zookeeper_path}
PARTITION BY day
ORDER BY (service, ts_ms)
{deduplicated};

CREATE TABLE IF NOT EXISTS limits {on_cluster}
(
    day Date,
    batch_id String,
    ts_ms UInt64,
    service LowCardinality(String),
    host LowCardinality(String),
    region LowCardinality(String),
    `where` LowCardinality(String),
    what LowCardinality(String),
    count UInt64
)
ENGINE = {replicated}MergeTree{zookeeper_path}
PARTITION BY day
ORDER BY (service, ts_ms)
{deduplicated};

CREATE TABLE IF NOT EXISTS alert_events {on_cluster}
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
