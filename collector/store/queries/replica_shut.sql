-- Whether some table of this server takes no rows, since it has no ZooKeeper.
SELECT max(is_readonly OR is_session_expired) AS is_shut
FROM system.replicas
WHERE database = {database}
