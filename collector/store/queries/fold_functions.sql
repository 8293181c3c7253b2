-- One version of a step as another one: of each endpoint the functions that cost most, and the own cost of all others
-- as that of (other).
INSERT INTO function_steps
(
    day, service, endpoint, start_ms, version, release, cell, function, origin,
    self_weight_s, weight_s, self_samples, samples
)
SELECT
    day, service, endpoint, start_ms, {folded:UInt64} AS made, release, cell, kept_function,
    min(kept_origin), sum(self_weight_s), sum(kept_weight_s), sum(self_samples), sum(kept_samples)
FROM
(
    SELECT
        day, service, endpoint, start_ms, release, cell, self_weight_s, self_samples,
        (service, endpoint, function) IN
        (
            SELECT service, endpoint, function
            FROM function_steps
            WHERE day = toDate(intDiv({from_ms:UInt64}, 86400000))
                AND start_ms = {from_ms:UInt64}
                AND version = {version:UInt64}
            GROUP BY service, endpoint, function
            ORDER BY sum(weight_s) DESC, function
            LIMIT {functions_max:UInt32} BY service, endpoint
        ) AS is_kept,
        if(is_kept, toString(function), '(other)') AS kept_function,
        if(is_kept, origin, toUInt8(1)) AS kept_origin,
        if(is_kept, weight_s, self_weight_s) AS kept_weight_s,
        if(is_kept, samples, self_samples) AS kept_samples
    FROM function_steps
    WHERE day = toDate(intDiv({from_ms:UInt64}, 86400000))
        AND start_ms = {from_ms:UInt64}
        AND version = {version:UInt64}
)
GROUP BY day, service, endpoint, start_ms, release, cell, kept_function
