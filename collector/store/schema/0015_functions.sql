-- What functions cost, long after their stacks are gone: by steps of 10 minutes and by hours, computed from
-- stack_samples and stacks once a step has closed, and again where rows come late.
-- self_*: the function is the stack's last frame; the others: it is somewhere in the stack, counted once.
-- version: which computation a row is of. function_marks says which one counts: the newest of a step, unless
-- that is stale. Rows without such a mark are of a computation that was interrupted, and are never read.
CREATE TABLE IF NOT EXISTS function_steps {on_cluster}
(
    day Date,
    service LowCardinality(String),
    endpoint LowCardinality(String),
    start_ms UInt64,
    version UInt64,
    release LowCardinality(String),
    cell UInt8,
    function LowCardinality(String),
    origin UInt8,
    self_weight_s Float64,
    weight_s Float64,
    self_samples UInt64,
    samples UInt64
)
ENGINE = {replicated}MergeTree{zookeeper_path}
PARTITION BY day
ORDER BY (service, endpoint, start_ms, version, release, cell, function);

-- A partition is a week.
CREATE TABLE IF NOT EXISTS function_hours {on_cluster}
(
    day Date,
    service LowCardinality(String),
    endpoint LowCardinality(String),
    start_ms UInt64,
    version UInt64,
    release LowCardinality(String),
    cell UInt8,
    function LowCardinality(String),
    origin UInt8,
    self_weight_s Float64,
    weight_s Float64,
    self_samples UInt64,
    samples UInt64
)
ENGINE = {replicated}MergeTree{zookeeper_path}
PARTITION BY toMonday(day)
ORDER BY (service, endpoint, start_ms, version, release, cell, function);

CREATE TABLE IF NOT EXISTS function_marks {on_cluster}
(
    length_ms UInt32,
    start_ms UInt64,
    version UInt64,
    is_stale UInt8
)
ENGINE = {replicated}ReplacingMergeTree{zookeeper_path_of_all}
ORDER BY (length_ms, start_ms, version, is_stale)
{deduplicated_briefly};

ALTER TABLE function_steps {on_cluster}
    MODIFY COLUMN cell CODEC(ZSTD(1)),
    MODIFY COLUMN self_weight_s CODEC(ZSTD(1)),
    MODIFY COLUMN weight_s CODEC(ZSTD(1)),
    MODIFY COLUMN self_samples CODEC(T64, LZ4),
    MODIFY COLUMN samples CODEC(T64, LZ4);

ALTER TABLE function_hours {on_cluster}
    MODIFY COLUMN cell CODEC(ZSTD(1)),
    MODIFY COLUMN self_weight_s CODEC(ZSTD(1)),
    MODIFY COLUMN weight_s CODEC(ZSTD(1)),
    MODIFY COLUMN self_samples CODEC(T64, LZ4),
    MODIFY COLUMN samples CODEC(T64, LZ4);
