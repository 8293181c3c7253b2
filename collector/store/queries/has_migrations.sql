-- One row where the list of applied schema files is there.
SELECT name FROM system.tables WHERE database = {database} AND name = 'schema_migrations'
