-- The days that each table holds; of weeks their first days.
SELECT table AS name, partition AS day
FROM {parts}
WHERE active AND database = {database} AND partition LIKE '____-__-__'
GROUP BY name, day
ORDER BY name, day
