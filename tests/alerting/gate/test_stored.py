"""Measured sides, written and read."""

from pathlib import Path

import pytest

from alerting.gate.errors import GateError
from alerting.gate.stored import read_side, write_side
from profiler.gate.records import Call, Counted, Function, Graph, Side

SIDE = Side(
    "abc",
    "instructions_simulated",
    "CPython 3.11.7",
    {"django": "5.2"},
    (
        Counted(
            "GET /a/",
            (1.5, 2.5),
            ((200, 10), (201, 0)),
            Graph((Function("a:f", 1.0),), (Call("(framework)", "a:f", 2.0, 3.0),)),
            {"memory": ((3.0, 40.0), (3.0, 50.0))},
        ),
    ),
    ("GET /b/",),
)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    write_side(SIDE, tmp_path / "side.json")
    assert read_side(tmp_path / "side.json") == SIDE


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"version": 1}', '{"version": 2}', '"a"'])
def test_anything_else_is_one_sentence(tmp_path: Path, text: str) -> None:
    (tmp_path / "side.json").write_text(text)
    with pytest.raises(GateError, match="side.json"):
        read_side(tmp_path / "side.json")
    with pytest.raises(GateError, match="cannot be written"):
        write_side(SIDE, tmp_path / "none" / "side.json")
