-- The highest version that a computation of functions was marked with; 0: none was.
SELECT max(version) AS newest FROM function_marks
