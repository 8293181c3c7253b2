SELECT stack_id, arrayMap(x -> toString(x), frames) AS frames, lines, origins
FROM stacks
WHERE stack_id IN (SELECT arrayJoin({stack_ids:Array(UInt64)}))
ORDER BY stack_id
LIMIT 1 BY stack_id
