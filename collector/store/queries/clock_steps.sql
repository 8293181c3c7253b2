-- Requests with a cost (not killed) of an endpoint, or of all (''), and their thread CPU time, in times that
-- start and end on 5 minutes: by days and hours, and at the ends by 5 minutes.
WITH
    intDiv({from_ms:UInt64} + 3599999, 3600000) * 3600000 AS hours_from,
    intDiv({to_ms:UInt64}, 3600000) * 3600000 AS hours_to,
    intDiv({from_ms:UInt64} + 86399999, 86400000) * 86400000 AS days_from,
    intDiv({to_ms:UInt64}, 86400000) * 86400000 AS days_to
SELECT
    sum(n - killed) AS served,
    sum(task_clock_sum) AS task_clock_total
FROM endpoint_steps
WHERE day >= toDate(intDiv({from_ms:UInt64}, 86400000))
    AND day <= toDate(intDiv({to_ms:UInt64}, 86400000))
    AND service = {service:String}
    AND of_all = ({endpoint:String} = '')
    AND endpoint = {endpoint:String}
    AND ({release:String} = '' OR release = {release:String})
    AND (
        (
            step_ms = 300000 AND start_ms >= {from_ms:UInt64} AND start_ms < {to_ms:UInt64}
            AND (start_ms < hours_from OR start_ms >= hours_to)
            AND block_ms >= intDiv({from_ms:UInt64}, 3600000) * 3600000 AND block_ms < {to_ms:UInt64}
            AND (block_ms < hours_from OR block_ms >= hours_to)
        )
        OR (
            step_ms = 3600000 AND start_ms >= hours_from AND start_ms < hours_to
            AND (start_ms < days_from OR start_ms >= days_to)
            AND block_ms >= intDiv(hours_from, 86400000) * 86400000 AND block_ms < hours_to
            AND (block_ms < days_from OR block_ms >= days_to)
        )
        OR (step_ms = 86400000 AND start_ms >= days_from AND start_ms < days_to)
    )
