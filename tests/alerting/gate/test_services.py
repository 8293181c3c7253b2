"""Commands that run while the gate measures."""

import sys
from pathlib import Path

import pytest

from alerting.gate.errors import GateError
from alerting.gate.services import running_services

SERVER = """
import pathlib, signal, sys
def leave(number, frame):
    pathlib.Path("ended").write_text("in good order")
    sys.exit(0)
signal.signal(signal.SIGTERM, leave)
print("starting")
print("DATABASE_URL=sqlite:///a=b")
print("ready", flush=True)
while True:
    signal.pause()
"""


def test_its_settings_are_read_and_it_is_ended(tmp_path: Path) -> None:
    (tmp_path / "server.py").write_text(SERVER)
    with running_services(f"{sys.executable} server.py", tmp_path, 60) as settings:
        assert settings == {"DATABASE_URL": "sqlite:///a=b"}
        assert not (tmp_path / "ended").exists()
    assert (tmp_path / "ended").read_text() == "in good order"


def test_it_is_ended_when_measuring_fails(tmp_path: Path) -> None:
    (tmp_path / "server.py").write_text(SERVER)
    with (
        pytest.raises(GateError, match="failed"),
        running_services(f"{sys.executable} server.py", tmp_path, 60),
    ):
        raise GateError("failed")
    assert (tmp_path / "ended").exists()


def test_no_command_gives_no_settings(tmp_path: Path) -> None:
    with running_services("", tmp_path, 1) as settings:
        assert settings == {}


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (f"{sys.executable} -c 'raise SystemExit(3)'", "status 3"),
        ("no-such-program-anywhere", "cannot be started"),
        (f"{sys.executable} -c 'import signal; signal.pause()'", "said no 'ready' in 1 s"),
    ],
)
def test_what_never_gets_ready_is_one_sentence(tmp_path: Path, command: str, words: str) -> None:
    with pytest.raises(GateError, match=words), running_services(command, tmp_path, 1):
        raise AssertionError("it is not ready")
