-- Statements with this id that run now.
SELECT count() AS n FROM system.processes WHERE query_id = {id:String}
