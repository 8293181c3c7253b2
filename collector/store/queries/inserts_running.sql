-- The ids of the statements that run now, of those with an id like this one (% stands for any characters).
SELECT query_id FROM system.processes WHERE query_id LIKE {id:String}
