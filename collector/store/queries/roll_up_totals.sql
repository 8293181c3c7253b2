-- Requests of whole minutes, counted raw and in both roll-ups; all three are the same unless one lost some.
SELECT sum(in_raw) AS raw, sum(in_endpoints) AS endpoint_minutes, sum(in_hosts) AS host_minutes
FROM
(
    SELECT sum(toFloat64(weight)) AS in_raw, toFloat64(0) AS in_endpoints, toFloat64(0) AS in_hosts
    FROM requests
    WHERE day = toDate(intDiv({from_ms:UInt64}, 86400000))
        AND ts_ms >= {from_ms:UInt64} AND ts_ms < {to_ms:UInt64}
        AND service >= {first_service:String} AND service <= {last_service:String}
    UNION ALL
    SELECT toFloat64(0) AS in_raw, sum(n) AS in_endpoints, toFloat64(0) AS in_hosts
    FROM endpoint_minutes
    WHERE day = toDate(intDiv({from_ms:UInt64}, 86400000))
        AND minute_ms >= {from_ms:UInt64} AND minute_ms < {to_ms:UInt64}
        AND service >= {first_service:String} AND service <= {last_service:String}
    UNION ALL
    SELECT toFloat64(0) AS in_raw, toFloat64(0) AS in_endpoints, sum(n) AS in_hosts
    FROM host_minutes
    WHERE day = toDate(intDiv({from_ms:UInt64}, 86400000))
        AND minute_ms >= {from_ms:UInt64} AND minute_ms < {to_ms:UInt64}
        AND service >= {first_service:String} AND service <= {last_service:String}
)
