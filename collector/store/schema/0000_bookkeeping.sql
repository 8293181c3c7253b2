-- Which schema files were applied, and the hosts in order of first appearance (for `cell`).
CREATE TABLE IF NOT EXISTS schema_migrations
(
    version UInt32,
    name String,
    applied_ms UInt64
)
ENGINE = ReplacingMergeTree
ORDER BY version
{deduplicated_briefly};

CREATE TABLE IF NOT EXISTS hosts
(
    host String,
    number UInt32,
    first_ms UInt64
)
ENGINE = ReplacingMergeTree
ORDER BY host
{deduplicated};
