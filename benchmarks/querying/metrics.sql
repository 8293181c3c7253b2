-- What agents measure of their hosts, a minute.
INSERT INTO metrics (day, batch_id, ts_ms, service, host, region, name, kind, unit, labels, value, source)
SELECT
    toDate(intDiv({from_ms:UInt64}, 86400000)) AS day,
    'made' AS batch_id,
    {from_ms:UInt64} + slot * 60000 AS ts_ms,
    if(kind_number < 8, '', 'photos') AS service,
    concat('web-', toString(host_number)) AS host,
    'eu' AS region,
    if(kind_number = 0, 'host_cpu_percent', if(kind_number < 8,
        concat('host_number_', toString(kind_number)), concat('worker_number_', toString(kind_number % 3))))
        AS name,
    'gauge' AS kind,
    '' AS unit,
    if(kind_number < 8, [], [concat('pid=', toString(1000 + intDiv(kind_number - 8, 3)))]) AS labels,
    50 + cityHash64(number) % 20 AS value,
    if(kind_number < 8, 'host', 'worker') AS source
FROM
(
    SELECT
        number,
        number % 20 AS kind_number,
        intDiv(number, 20) % {hosts:UInt32} AS host_number,
        intDiv(number, 20 * {hosts:UInt32}) AS slot
    FROM numbers(20 * {hosts:UInt32} * intDiv({seconds:UInt32}, 60))
)
