-- Forget one day of a table.
ALTER TABLE {table} DROP PARTITION '{day}'
