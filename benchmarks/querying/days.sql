-- Who sent requests on one day: each host has one release.
INSERT INTO service_days
SELECT
    toDate(intDiv({day_ms:UInt64}, 86400000)) AS day,
    'photos' AS service,
    concat('r', toString({first_release:UInt32} + number % 3)) AS release,
    'eu' AS region,
    concat('web-', toString(number)) AS host,
    arrayReduce('minState', [toUInt64({day_ms:UInt64})]) AS first_ms,
    arrayReduce('maxState', [toUInt64({day_ms:UInt64} + {slots:UInt64} * {slot_ms:UInt64} - 1)]) AS last_ms
FROM numbers({hosts:UInt32})
