-- Cost and active users of a service in the hour before a time, and in the same hour of days before.
SELECT
    service,
    cost_unit,
    toUInt32(intDiv({to_ms:UInt64} - minute_ms - 1, 86400000)) AS days_ago,
    sum(n) AS requests,
    sum(cost_sum) AS cost_of_all,
    toFloat64(uniqIfMerge(users)) AS active
FROM endpoint_times
WHERE day >= toDate(intDiv({from_ms:UInt64}, 86400000))
  AND day <= toDate(intDiv({to_ms:UInt64}, 86400000))
  AND minute_ms >= {from_ms:UInt64} AND minute_ms < {to_ms:UInt64}
  AND (minute_ms % 60000 = 1) = (minute_ms < {hours_until_ms:UInt64})
  AND ({to_ms:UInt64} - minute_ms - 1) % 86400000 < 3600000
  AND ({service:String} = '' OR service = {service:String})
GROUP BY service, cost_unit, days_ago
ORDER BY service, cost_unit, days_ago
