-- Statements that run now with an id like this one (% stands for any characters).
SELECT count() AS n FROM system.processes WHERE query_id LIKE {id:String}
