-- One step of one service as rows of function_steps. A stack whose frames are not stored is a function of its own.
-- Stacks are sent anew every hour, so those of a day are there from the day before on.
INSERT INTO function_steps
(
    day, service, endpoint, start_ms, version, release, cell, function, origin,
    self_weight_s, weight_s, self_samples, samples
)
SELECT
    toDate(intDiv({from_ms:UInt64}, 86400000)) AS step_day,
    {service:String} AS of_service,
    endpoint,
    {from_ms:UInt64} AS step_ms,
    {version:UInt64} AS made,
    release,
    cell,
    frame,
    min(frame_origin) AS least_origin,
    sum(weight_sum * (frame = leaf)) AS self_weight_sum,
    sum(weight_sum) AS all_weight_sum,
    sum(sample_count * (frame = leaf)) AS self_sample_count,
    sum(sample_count) AS all_sample_count
FROM
(
    SELECT
        endpoint, release, cell, sample_count, weight_sum,
        if(empty(frames), ['(unknown):stack not stored'], frames) AS known,
        if(empty(frames), [toUInt8(1)], origins) AS known_origins,
        known[length(known)] AS leaf
    FROM
    (
        SELECT
            endpoint, release, stack_id,
            transform(toString(host), {hosts:Array(String)}, {cells:Array(UInt8)}, toUInt8(0)) AS cell,
            sum(toUInt64(samples)) AS sample_count,
            sum(weight_s) AS weight_sum
        FROM {everywhere}stack_samples
        WHERE day = toDate(intDiv({from_ms:UInt64}, 86400000))
            AND ts_ms >= {from_ms:UInt64} AND ts_ms < {to_ms:UInt64}
            AND service = {service:String}
        GROUP BY endpoint, release, stack_id, cell
    ) AS seen
    ANY LEFT JOIN
    (
        SELECT stack_id, arrayMap(x -> toString(x), frames) AS frames, origins
        FROM {everywhere}stacks
        WHERE day >= toDate(intDiv({from_ms:UInt64}, 86400000) - 1)
            AND day <= toDate(intDiv({from_ms:UInt64}, 86400000) + 1)
            AND stack_id IN
            (
                SELECT stack_id
                FROM {everywhere}stack_samples
                WHERE day = toDate(intDiv({from_ms:UInt64}, 86400000))
                    AND ts_ms >= {from_ms:UInt64} AND ts_ms < {to_ms:UInt64}
                    AND service = {service:String}
            )
    ) AS stored
    USING stack_id
)
ARRAY JOIN known AS frame, known_origins AS frame_origin, arrayEnumerateUniq(known) AS nth
WHERE nth = 1
GROUP BY endpoint, release, cell, frame
SETTINGS max_execution_time = 0, max_memory_usage = 4000000000
