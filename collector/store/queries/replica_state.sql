-- How far each table of this replica has read the log of its shard, and how many replicas are alive.
SELECT
    table, replica_name, zookeeper_path, replica_path, log_pointer, log_max_index, active_replicas,
    is_readonly OR is_session_expired AS is_shut
FROM system.replicas
WHERE database = {database} AND has({tables:Array(String)}, table)
ORDER BY table
