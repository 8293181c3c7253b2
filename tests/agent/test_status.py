import pytest

from agent.errors import AgentError
from agent.status import read_status, write_status


def test_a_status_is_replaced_as_a_whole(tmp_path):
    write_status(tmp_path, {"a": 1})
    write_status(tmp_path, {"b": 2})
    assert read_status(tmp_path) == {"b": 2}
    assert [path.name for path in tmp_path.iterdir()] == ["status.json"]


def test_a_folder_that_is_gone_does_not_stop_the_agent(tmp_path):
    folder = tmp_path / "gone"
    write_status(folder, {"a": 1})
    assert not folder.exists()
    with pytest.raises(AgentError, match="no status in"):
        read_status(folder)
    folder.mkdir()  # it is tried again
    write_status(folder, {"a": 2})
    assert read_status(folder) == {"a": 2}


@pytest.mark.parametrize("text", ["", "{", "[]"])
def test_a_broken_status_is_one_clear_sentence(tmp_path, text):
    (tmp_path / "status.json").write_text(text)
    with pytest.raises(AgentError, match="status"):
        read_status(tmp_path)
