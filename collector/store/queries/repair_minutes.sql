WHERE day = toDate(intDiv({from_ms:UInt64}, 86400000))
    AND service >= {first_service:String} AND service <= {last_service:String}
