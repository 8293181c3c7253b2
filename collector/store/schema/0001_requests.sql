-- One row a finished request. Columns: profiler.vocabulary.WIRE, and what the store adds: `day`,
-- `batch_id`, `cell` (the host's number in order of first appearance, mod 64).
-- wall_bucket, cost_bucket: 8 a doubling; wall edges exactly at 100, 250, 500 ms, 1, 2, 5 s.
CREATE TABLE IF NOT EXISTS requests {on_cluster}
(
    day Date,
    batch_id String,
    cell UInt8,
    ts_ms UInt64,
    service LowCardinality(String),
    host LowCardinality(String),
    region LowCardinality(String),
    ring_id UInt64,
    seq UInt64,
    pid UInt32,
    worker UInt32,
    worker_req UInt32,
    worker_age_s UInt32,
    cpu_model LowCardinality(String),
    weight Float32,
    release LowCardinality(String),
    runtime LowCardinality(String),
    endpoint LowCardinality(String),
    kind LowCardinality(String),
    status UInt16,
    outcome LowCardinality(String),
    wall_ns UInt64,
    cost UInt64,
    cost_unit LowCardinality(String),
    task_clock_ns UInt64,
    ctx_switches UInt32,
    db_ns UInt64,
    db_calls UInt32,
    cache_ns UInt64,
    cache_calls UInt32,
    rpc_ns UInt64,
    rpc_calls UInt32,
    gc_ns UInt64,
    statement_fps Array(UInt64),
    statement_calls Array(UInt32),
    statement_ns Array(UInt64),
    flags Array(LowCardinality(String)),
    trace_id String,
    trace_sampled UInt8,
    user_hash UInt64,
    error_fp UInt64,
    wall_bucket Int32 MATERIALIZED toInt32(floor(8 * log2(greatest(wall_ns, 1) / 1e9)))
        + (wall_ns >= 100000000) + (wall_ns >= 5000000000),
    cost_bucket Int32 MATERIALIZED toInt32(floor(8 * log2(greatest(cost, 1)))),
    failed UInt8 MATERIALIZED status >= 500 OR outcome = 'error' OR outcome = 'killed',
    killed UInt8 MATERIALIZED outcome = 'killed'
)
ENGINE = {replicated}MergeTree{zookeeper_path}
PARTITION BY day
ORDER BY (service, endpoint, ts_ms)
{deduplicated};
