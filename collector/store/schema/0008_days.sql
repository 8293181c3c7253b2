-- moved_days: up to when endpoint_times is read by hours, and from then on by minutes. A row is the end of a
-- day whose hours are complete; minutes of it that are still there count no more. Rows of hours are those
-- whose minute_ms is a ms past the hour.
-- service_days: who sent requests on which day, so that no page has to look through all minutes for that.
CREATE TABLE IF NOT EXISTS moved_days {on_cluster}
(
    until_ms UInt64
)
ENGINE = {replicated}ReplacingMergeTree{zookeeper_path_of_all}
ORDER BY until_ms
{deduplicated_briefly};

CREATE TABLE IF NOT EXISTS service_days {on_cluster}
(
    day Date,
    service LowCardinality(String),
    release LowCardinality(String),
    region LowCardinality(String),
    host LowCardinality(String),
    first_ms AggregateFunction(min, UInt64),
    last_ms AggregateFunction(max, UInt64)
)
ENGINE = {replicated}AggregatingMergeTree{zookeeper_path}
PARTITION BY day
ORDER BY (service, release, region, host)
{deduplicated};

CREATE MATERIALIZED VIEW IF NOT EXISTS service_days_view {on_cluster} TO {tables}service_days AS
SELECT
    day,
    service,
    release,
    region,
    host,
    minState(ts_ms) AS first_ms,
    maxState(ts_ms) AS last_ms
FROM {tables}requests
GROUP BY day, service, release, region, host;

INSERT INTO service_days
SELECT
    day,
    service,
    release,
    region,
    host,
    minMergeState(first_ms) AS oldest_ms,
    maxMergeState(last_ms) AS newest_ms
FROM host_minutes
GROUP BY day, service, release, region, host
SETTINGS max_execution_time = 0;
