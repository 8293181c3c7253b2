-- One row if the batch is stored. Times and services are those of its rows, both ends included.
SELECT 1 AS one
FROM {table:Identifier}
WHERE day = toDate(intDiv({from_ms:UInt64}, 86400000))
    AND ts_ms >= {from_ms:UInt64} AND ts_ms <= {to_ms:UInt64}
    AND service >= {first_service:String} AND service <= {last_service:String}
    AND batch_id = {batch_id:String}
LIMIT 1
