-- Requests of a day, counted in endpoint_minutes and in endpoint_steps.
SELECT sum(in_minutes) AS minutes, sum(in_steps) AS steps
FROM
(
    SELECT sum(n) AS in_minutes, toFloat64(0) AS in_steps
    FROM endpoint_minutes
    WHERE day = toDate(intDiv({from_ms:UInt64}, 86400000))
        AND service >= {first_service:String} AND service <= {last_service:String}
    UNION ALL
    SELECT toFloat64(0) AS in_minutes, sum(n) AS in_steps
    FROM endpoint_steps
    WHERE day = toDate(intDiv({from_ms:UInt64}, 86400000))
        AND service >= {first_service:String} AND service <= {last_service:String}
        AND step_ms = 86400000 AND of_all = 0
)
