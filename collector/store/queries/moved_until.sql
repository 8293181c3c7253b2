-- Up to when requests are read from endpoint_hours; 0: never.
SELECT max(until_ms) AS end_ms FROM moved_days
