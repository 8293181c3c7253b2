-- Whether this replica decides on the parts of a table.
SELECT is_leader FROM system.replicas WHERE database = {database} AND table = {table:String}
