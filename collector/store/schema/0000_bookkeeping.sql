-- Which schema files were applied, and the hosts in order of first appearance (for `cell`).
CREATE TABLE IF NOT EXISTS schema_migrations {on_cluster}
(
    version UInt32,
    name String,
    applied_ms UInt64
)
ENGINE = {replicated}ReplacingMergeTree{zookeeper_path_of_all}
ORDER BY version
{deduplicated_briefly};

CREATE TABLE IF NOT EXISTS hosts {on_cluster}
(
    host String,
    number UInt32,
    first_ms UInt64
)
ENGINE = {replicated}ReplacingMergeTree{zookeeper_path_of_all}
ORDER BY host
{deduplicated};
