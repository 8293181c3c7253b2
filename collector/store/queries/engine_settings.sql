-- Which settings this engine has: of statements, and of tables.
SELECT 'settings' AS place, name FROM system.settings
UNION ALL
SELECT 'tables' AS place, name FROM system.merge_tree_settings
