WHERE day = toDate(intDiv({from_ms:UInt64}, 86400000))
    AND ts_ms >= {from_ms:UInt64} AND ts_ms < {to_ms:UInt64}
    AND service >= {first_service:String} AND service <= {last_service:String}
