-- Which of these settings this engine has, of statements and of tables; and the name of the database.
SELECT 'settings' AS place, name FROM system.settings WHERE has({names:Array(String)}, name)
UNION ALL
SELECT 'tables' AS place, name FROM system.merge_tree_settings
WHERE has({names:Array(String)}, name)
UNION ALL
SELECT 'database' AS place, currentDatabase() AS name
