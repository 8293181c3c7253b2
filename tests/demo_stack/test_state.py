"""The state survives a restart of the command, and a broken file is told."""

from pathlib import Path

import pytest

from demo_stack.processes import DemoError, Started
from demo_stack.state import State, read_state, write_state


def test_what_is_written_is_read(tmp_path: Path):
    one = Started("redis", 12, 345, 15, 10.0, "/tmp/redis.log")
    state = State(ports={"redis": 8721}, releases={"web-1": "r1"}, processes=[one])
    write_state(tmp_path, state)
    assert read_state(tmp_path) == state
    assert state.process("redis") is one


def test_nothing_started_nothing_kept(tmp_path: Path):
    assert read_state(tmp_path) is None
    write_state(tmp_path, State(processes=[Started("redis", 12, 345, 15, 10.0, "log")]))
    write_state(tmp_path, State(ports={"redis": 1}))
    assert read_state(tmp_path) is None


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"processes": [{"pid": 1}]}', "{"])
def test_a_broken_file_is_told(tmp_path: Path, text: str):
    (tmp_path / "state.json").write_text(text)
    with pytest.raises(DemoError, match=r"state\.json cannot be read"):
        read_state(tmp_path)
