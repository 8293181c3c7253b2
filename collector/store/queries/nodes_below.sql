-- How many nodes ZooKeeper has under a path.
SELECT count() AS n FROM system.zookeeper WHERE path = {path:String}
