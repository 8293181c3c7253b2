-- How columns are compressed, where servers have codecs: chosen by what they save and cost on rows like those that
-- agents send. Numbers of which only the low bits are used: T64, which is faster than LZ4 alone, too. Sums, shares,
-- words and hexadecimal digits: ZSTD. The rest stays with the server's own way (LZ4): hashes and the states of uniq
-- do not get smaller, and lists that repeat get larger. Parts that are there already follow when they are merged.
ALTER TABLE requests {on_cluster}
    MODIFY COLUMN ts_ms CODEC(T64, LZ4),
    MODIFY COLUMN cell CODEC(ZSTD(1)),
    MODIFY COLUMN host CODEC(ZSTD(1)),
    MODIFY COLUMN seq CODEC(T64, LZ4),
    MODIFY COLUMN pid CODEC(T64, LZ4),
    MODIFY COLUMN worker CODEC(T64, LZ4),
    MODIFY COLUMN worker_req CODEC(T64, LZ4),
    MODIFY COLUMN worker_age_s CODEC(T64, LZ4),
    MODIFY COLUMN wall_ns CODEC(T64, LZ4),
    MODIFY COLUMN cost CODEC(T64, LZ4),
    MODIFY COLUMN task_clock_ns CODEC(T64, LZ4),
    MODIFY COLUMN ctx_switches CODEC(T64, LZ4),
    MODIFY COLUMN db_ns CODEC(T64, LZ4),
    MODIFY COLUMN db_calls CODEC(T64, LZ4),
    MODIFY COLUMN cache_ns CODEC(T64, LZ4),
    MODIFY COLUMN cache_calls CODEC(T64, LZ4),
    MODIFY COLUMN statement_calls CODEC(ZSTD(1)),
    MODIFY COLUMN flags CODEC(ZSTD(1)),
    MODIFY COLUMN trace_id CODEC(ZSTD(1)),
    MODIFY COLUMN wall_bucket CODEC(T64, LZ4),
    MODIFY COLUMN cost_bucket CODEC(T64, LZ4);

ALTER TABLE stack_samples {on_cluster}
    MODIFY COLUMN ts_ms CODEC(Delta, ZSTD(1)),
    MODIFY COLUMN host CODEC(ZSTD(1)),
    MODIFY COLUMN stack_id CODEC(ZSTD(1)),
    MODIFY COLUMN samples CODEC(T64, LZ4),
    MODIFY COLUMN weight_s CODEC(ZSTD(1));

ALTER TABLE line_samples {on_cluster}
    MODIFY COLUMN ts_ms CODEC(Delta, ZSTD(1)),
    MODIFY COLUMN host CODEC(ZSTD(1)),
    MODIFY COLUMN line CODEC(T64, LZ4),
    MODIFY COLUMN samples CODEC(T64, LZ4),
    MODIFY COLUMN self_samples CODEC(T64, LZ4),
    MODIFY COLUMN weight_s CODEC(ZSTD(1));

ALTER TABLE metrics {on_cluster}
    MODIFY COLUMN ts_ms CODEC(Delta, ZSTD(1)),
    MODIFY COLUMN value CODEC(ZSTD(1));

ALTER TABLE spans {on_cluster}
    MODIFY COLUMN trace_id CODEC(ZSTD(1)),
    MODIFY COLUMN span_id CODEC(ZSTD(1)),
    MODIFY COLUMN parent_id CODEC(ZSTD(1)),
    MODIFY COLUMN wall_ns CODEC(T64, LZ4);

ALTER TABLE endpoint_minutes {on_cluster}
    MODIFY COLUMN n CODEC(ZSTD(1)),
    MODIFY COLUMN cost_sum CODEC(ZSTD(1)),
    MODIFY COLUMN task_clock_sum CODEC(ZSTD(1)),
    MODIFY COLUMN wall_sum CODEC(ZSTD(1)),
    MODIFY COLUMN db_ns_sum CODEC(ZSTD(1)),
    MODIFY COLUMN db_calls_sum CODEC(ZSTD(1)),
    MODIFY COLUMN cache_ns_sum CODEC(ZSTD(1)),
    MODIFY COLUMN cache_calls_sum CODEC(ZSTD(1)),
    MODIFY COLUMN gc_ns_sum CODEC(ZSTD(1)),
    MODIFY COLUMN `wallMap.bucket` CODEC(ZSTD(1)),
    MODIFY COLUMN `wallMap.n` CODEC(ZSTD(1)),
    MODIFY COLUMN `costMap.bucket` CODEC(ZSTD(1)),
    MODIFY COLUMN `costMap.n` CODEC(ZSTD(1)),
    MODIFY COLUMN first_ms CODEC(ZSTD(1)),
    MODIFY COLUMN last_ms CODEC(ZSTD(1));

ALTER TABLE endpoint_hours {on_cluster}
    MODIFY COLUMN n CODEC(ZSTD(1)),
    MODIFY COLUMN cost_sum CODEC(ZSTD(1)),
    MODIFY COLUMN cost_sq CODEC(ZSTD(1)),
    MODIFY COLUMN task_clock_sum CODEC(ZSTD(1)),
    MODIFY COLUMN task_clock_sq CODEC(ZSTD(1)),
    MODIFY COLUMN wall_sum CODEC(ZSTD(1)),
    MODIFY COLUMN wall_sq CODEC(ZSTD(1)),
    MODIFY COLUMN db_ns_sum CODEC(ZSTD(1)),
    MODIFY COLUMN db_calls_sum CODEC(ZSTD(1)),
    MODIFY COLUMN cache_ns_sum CODEC(ZSTD(1)),
    MODIFY COLUMN cache_calls_sum CODEC(ZSTD(1)),
    MODIFY COLUMN gc_ns_sum CODEC(ZSTD(1)),
    MODIFY COLUMN `wallMap.bucket` CODEC(ZSTD(1)),
    MODIFY COLUMN `wallMap.n` CODEC(ZSTD(1)),
    MODIFY COLUMN `costMap.bucket` CODEC(ZSTD(1)),
    MODIFY COLUMN `costMap.n` CODEC(ZSTD(1)),
    MODIFY COLUMN first_ms CODEC(ZSTD(1)),
    MODIFY COLUMN last_ms CODEC(ZSTD(1));

ALTER TABLE host_minutes {on_cluster}
    MODIFY COLUMN `wallMap.bucket` CODEC(ZSTD(1)),
    MODIFY COLUMN `wallMap.n` CODEC(ZSTD(1)),
    MODIFY COLUMN `costMap.bucket` CODEC(ZSTD(1)),
    MODIFY COLUMN `costMap.n` CODEC(ZSTD(1));

ALTER TABLE endpoint_steps {on_cluster}
    MODIFY COLUMN n CODEC(ZSTD(1)),
    MODIFY COLUMN cost_sum CODEC(ZSTD(1)),
    MODIFY COLUMN task_clock_sum CODEC(ZSTD(1)),
    MODIFY COLUMN wall_sum CODEC(ZSTD(1)),
    MODIFY COLUMN db_ns_sum CODEC(ZSTD(1)),
    MODIFY COLUMN cache_ns_sum CODEC(ZSTD(1)),
    MODIFY COLUMN `wallMap.bucket` CODEC(ZSTD(1)),
    MODIFY COLUMN `wallMap.n` CODEC(ZSTD(1)),
    MODIFY COLUMN last_ms CODEC(ZSTD(1));
