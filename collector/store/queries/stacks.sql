SELECT stack_id, frames, lines, origins
FROM stacks
WHERE stack_id IN {stack_ids:Array(UInt64)}
ORDER BY stack_id
LIMIT 1 BY stack_id
