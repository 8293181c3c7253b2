-- Parts that another replica has made and this one has not fetched yet, by its queue in ZooKeeper: of that, a server
-- that has just come back has nothing in memory until its old session has ended, and takes inserts all the same.
SELECT count() AS n
FROM system.zookeeper
WHERE path = {path:String}
    AND position(value, concat('\nsource replica: ', {replica:String}, '\n')) = 0
    AND NOT match(value, '\n(merge|mutate)\n')
