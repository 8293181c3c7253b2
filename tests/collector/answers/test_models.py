import pyarrow as pa

from collector.answers.models import same_models


def rows(*models: str, unit: str = "cpu_ns") -> pa.Table:
    return pa.table({"cpu_model": list(models), "cost_unit": [unit] * len(models)})


def test_like_processors_are_compared_whole():
    given = [rows("x", "y"), rows("y", "x", "x")]
    assert same_models(given) == (given, "", ())


def test_only_common_processors_are_compared():
    found, why, (note,) = same_models([rows("x", "y"), rows("y", "z", "y")])
    assert [table["cpu_model"].to_pylist() for table in found] == [["y"], ["y", "y"]]
    assert why == ""
    assert note.endswith("left out: x, z")


def test_unlike_processors_cannot_be_compared():
    given = [rows("x"), rows("z")]
    found, why, _ = same_models(given)
    assert found == given
    assert why.startswith("side a ran on x, side b on z")


def test_instructions_of_any_processor_are_compared():
    given = [rows("x", unit="instructions"), rows("z", unit="instructions")]
    assert same_models(given) == (given, "", ())


def test_a_side_without_rows_is_no_other_processor():
    given = [rows("x"), rows()]
    assert same_models(given) == (given, "", ())
