-- How many entries the log of a table has: nodes of ZooKeeper under its path.
SELECT count() AS n FROM system.zookeeper WHERE path = {path:String}
