from dashboards.figures.function_rows import FUNCTION_COLUMNS, function_rows, origin_word
from dashboards.urls import Query
from profiler.records import FunctionCost


def test_a_function_has_its_costs_in_time():
    costs = [FunctionCost("feed:rank", 0, 0.25, 0.8, 1.7e6, 5.4e6, 1234)]
    (row,) = function_rows(costs, Query("shop"))
    assert [row.get(f"{c['field']}_text", row[c["field"]]) for c in FUNCTION_COLUMNS] == [
        "feed:rank",
        "own",
        "1.7 ms",
        "25%",
        "5.4 ms",
        "80%",
        "1,234",
    ]
    assert row["href"] == "/function?service=shop&function=feed%3Arank"


def test_library_code_leads_nowhere():
    (row,) = function_rows([FunctionCost("json:loads", 2, 0.1, 0.1, 1.0, 1.0, 5)], Query("shop"))
    assert row["href"] == ""


def test_origins_beyond_the_known_are_unknown():
    assert origin_word(3) == "native"
    assert origin_word(9) == "unknown"
