-- Which settings this engine has, of statements and of tables; and the name of the database.
SELECT 'settings' AS place, name FROM system.settings
UNION ALL
SELECT 'tables' AS place, name FROM system.merge_tree_settings
UNION ALL
SELECT 'database' AS place, currentDatabase() AS name
