-- Endpoints with more functions in one step than are kept.
SELECT service, endpoint, uniqExact(function) AS functions
FROM function_steps
WHERE day = toDate(intDiv({from_ms:UInt64}, 86400000))
    AND start_ms = {from_ms:UInt64}
    AND version = {version:UInt64}
GROUP BY service, endpoint
HAVING functions > {functions_max:UInt32}
ORDER BY service, endpoint
