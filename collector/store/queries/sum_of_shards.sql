-- A table of the cluster: all shards of the tables that each server has of its own.
CREATE TABLE IF NOT EXISTS {all}.{table} {on_cluster} AS {local}.{table}
ENGINE = Distributed({cluster}, {local}, {table})
