-- Which of these databases are there; and the tables of the first that are no sums of shards.
SELECT name, '' AS table_name FROM system.databases WHERE has({names:Array(String)}, name)
UNION ALL
SELECT database AS name, name AS table_name
FROM system.tables
WHERE database = {name:String} AND engine != 'Distributed'
