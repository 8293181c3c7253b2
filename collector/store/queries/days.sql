-- The days that each table holds.
SELECT table AS name, partition AS day, sum(rows) AS row_count
FROM {parts}
WHERE active AND database = {database} AND partition LIKE '____-__-__'
GROUP BY name, day
ORDER BY name, day
