from dashboards.figures.function_rows import FUNCTION_COLUMNS, function_rows, origin_word
from profiler.records import FunctionCost


def test_a_function_has_its_costs_in_time():
    (row,) = function_rows([FunctionCost("feed:rank", 0, 0.25, 0.8, 1.7e6, 5.4e6, 1234)])
    assert [row.get(f"{c['field']}_text", row[c["field"]]) for c in FUNCTION_COLUMNS] == [
        "feed:rank",
        "own",
        "1.7 ms",
        "25%",
        "5.4 ms",
        "80%",
        "1,234",
    ]


def test_origins_beyond_the_known_are_unknown():
    assert origin_word(3) == "native"
    assert origin_word(9) == "unknown"
