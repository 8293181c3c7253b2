-- Parts that another replica has made and this one has not fetched yet.
SELECT count() AS n
FROM system.replication_queue
WHERE database = {database} AND has({tables:Array(String)}, table)
    AND source_replica != replica_name
    AND type != 'MERGE_PARTS' AND type != 'MUTATE_PART'
