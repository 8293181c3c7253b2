import pyarrow as pa
import pytest

from collector.answers.rows import rows_of

COLUMNS = {
    "word": pa.array(["b", "a", "b", "", "é"], pa.string()),
    "words": pa.array([["x", "y"], [], ["x"], ["a=b"], []], pa.list_(pa.string())),
    "number": pa.array([2**64 - 1, 0, 1, 2, 3], pa.uint64()),
    "share": pa.array([0.5, -1.0, 0.0, 1e300, 2.0]),
}


@pytest.mark.parametrize(
    "table",
    [
        pa.table(COLUMNS),
        pa.table(COLUMNS).slice(1, 3),
        pa.table(COLUMNS).slice(0, 0),
        pa.concat_tables([pa.table(COLUMNS).slice(3), pa.table(COLUMNS)]),
    ],
    ids=["whole", "part", "none", "chunks"],
)
def test_rows_are_those_of_arrow(table):
    assert rows_of(table) == table.to_pylist()
