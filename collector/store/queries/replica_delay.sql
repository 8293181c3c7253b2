-- For how long a replica has been without rows that another one has, s; the worst of its tables.
SELECT max(greatest(absolute_delay, if(is_readonly, 1000000, 0))) AS delay_s
FROM system.replicas
WHERE database = {database}
