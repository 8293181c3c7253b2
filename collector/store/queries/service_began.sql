-- The first day on which the service sent a request, of those that are kept; none: no row.
SELECT toUInt64(toUInt32(min(day))) * 86400000 AS day_ms, toUInt8(count() > 0) AS seen
FROM service_days
WHERE service = {service:String}
