-- Versions of the schema files that were applied.
SELECT version FROM schema_migrations ORDER BY version
