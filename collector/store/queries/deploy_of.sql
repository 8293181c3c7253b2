SELECT
    ts_ms, service, kind, release, previous,
    arrayMap(x -> toString(x), commits) AS commits,
    arrayMap(x -> toString(x), changed_functions) AS changed_functions,
    note
FROM changes
WHERE kind = 'deploy' AND service = {service:String} AND release = {release:String}
ORDER BY ts_ms DESC
LIMIT 1
