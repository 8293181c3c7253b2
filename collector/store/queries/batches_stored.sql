-- Which of some batches are stored. Times and services are those of their rows, both ends included.
SELECT DISTINCT batch_id
FROM {table:Identifier}
WHERE day = toDate(intDiv({from_ms:UInt64}, 86400000))
    AND ts_ms >= {from_ms:UInt64} AND ts_ms <= {to_ms:UInt64}
    AND service >= {first_service:String} AND service <= {last_service:String}
    AND batch_id IN (SELECT arrayJoin({batch_ids:Array(String)}))
ORDER BY batch_id
