import pytest

from agent.errors import AgentError
from agent.status import read_status, write_status


def test_a_status_is_replaced_as_a_whole(tmp_path):
    write_status(tmp_path, {"a": 1})
    write_status(tmp_path, {"b": 2})
    assert read_status(tmp_path) == {"b": 2}
    assert [path.name for path in tmp_path.iterdir()] == ["status.json"]


def test_a_folder_that_is_gone_does_not_stop_the_agent(tmp_path):
    write_status(tmp_path / "gone", {"a": 1})


@pytest.mark.parametrize("text", ["", "{", "[]"])
def test_a_broken_status_is_one_clear_sentence(tmp_path, text):
    (tmp_path / "status.json").write_text(text)
    with pytest.raises(AgentError, match="status"):
        read_status(tmp_path)
