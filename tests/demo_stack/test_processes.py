"""Processes are waited for, and ended by identity, never by name or by a pid alone."""

import signal
import socket
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from demo_stack.processes import DemoError, Launch, alive, await_ready, end, launch, run

READY_AFTER_START = "import pathlib, time; pathlib.Path('ready').touch(); time.sleep(600)"
DEAF = "import signal, time; signal.signal(15, 1); " + READY_AFTER_START


def python(folder: Path, code: str, name: str = "one", **changes) -> Launch:
    return replace(
        Launch(
            name=name,
            argv=[sys.executable, "-c", code],
            missing=lambda: None if (folder / "ready").exists() else "the file is missing",
            cwd=folder,
            ready_s=30,
        ),
        **changes,
    )


def test_started_waited_for_and_ended(tmp_path: Path):
    what = python(tmp_path, READY_AFTER_START)
    started = launch(what, tmp_path)
    await_ready(what, started)
    assert alive(started)
    assert end([started]) == ()
    assert not alive(started)
    assert end([started]) == ()


def test_a_later_process_with_the_pid_is_left_alone(tmp_path: Path):
    what = python(tmp_path, READY_AFTER_START)
    started = launch(what, tmp_path)
    await_ready(what, started)
    earlier = replace(started, start_ticks=started.start_ticks - 1)
    assert not alive(earlier)
    end([earlier])
    assert alive(started)
    end([started])


def test_what_does_not_listen_is_killed_and_named(tmp_path: Path):
    what = python(tmp_path, DEAF, name="deaf", stop_s=0.3)
    started = launch(what, tmp_path)
    await_ready(what, started)
    assert end([started]) == ("deaf",)
    assert not alive(started)


def test_children_end_with_their_parent(tmp_path: Path):
    child = "import subprocess, sys; subprocess.Popen([sys.executable, '-c', 'import time; "
    code = f"{child}time.sleep(600)']); {READY_AFTER_START}"
    what = python(tmp_path, code)
    started = launch(what, tmp_path)
    await_ready(what, started)
    (offspring,) = psutil.Process(started.pid).children()
    end([started])
    assert not offspring.is_running() or offspring.status() == psutil.STATUS_ZOMBIE


def test_stop_signal_is_the_servers_own(tmp_path: Path):
    code = (
        "import signal, sys; signal.signal(2, lambda *_: sys.exit(print('asked', flush=True))); "
        + READY_AFTER_START
    )
    what = python(tmp_path, code, stop_signal=signal.SIGINT)
    started = launch(what, tmp_path)
    await_ready(what, started)
    assert end([started]) == ()
    assert Path(started.log).read_text() == "asked\n"


def test_ending_while_starting_shows_the_last_lines(tmp_path: Path):
    what = python(tmp_path, "raise SystemExit('no port left')")
    started = launch(what, tmp_path)
    with pytest.raises(DemoError, match=r"one ended while starting.*no port left"):
        await_ready(what, started)


def test_too_slow_says_what_was_missing(tmp_path: Path):
    what = python(tmp_path, "import time; time.sleep(600)", ready_s=0.1)
    started = launch(what, tmp_path)
    with pytest.raises(DemoError, match=r"not get ready within 0 s: the file is missing\."):
        await_ready(what, started)
    end([started])


def test_missing_program(tmp_path: Path):
    what = python(tmp_path, "", argv=["/no/such/server"])
    with pytest.raises(DemoError, match="one could not be started"):
        launch(what, tmp_path)
    with pytest.raises(DemoError, match="making it failed"):
        run(["/no/such/program"], what="making it")


def test_run_returns_output_or_the_last_words():
    assert run([sys.executable, "-c", "print(3)"], what="counting") == "3\n"
    with pytest.raises(DemoError, match=r"counting failed with status 4: out of numbers"):
        code = "import sys; print('out of numbers', file=sys.stderr); sys.exit(4)"
        run([sys.executable, "-c", code], what="counting")
    with pytest.raises(DemoError, match="counting failed"):
        run([sys.executable, "-c", "import time; time.sleep(60)"], what="counting", timeout_s=0.2)


def test_a_process_of_another_command_is_seen_and_ended(tmp_path: Path):
    """`down` is not the process that started what it ends."""
    starter = (
        "import subprocess, sys; "
        "print(subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'],"
        " start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).pid)"
    )
    printed = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", starter], capture_output=True, text=True, check=True
    )
    pid = int(printed.stdout)
    ticks = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19])
    what = python(tmp_path, READY_AFTER_START)
    own = launch(what, tmp_path)
    orphan = replace(own, name="orphan", pid=pid, start_ticks=ticks)
    assert alive(orphan)
    end([own, orphan])
    give_up = time.monotonic() + 60
    while alive(orphan) and time.monotonic() < give_up:
        time.sleep(0.01)
    assert not alive(orphan)


def test_an_answer_of_somebody_else_is_not_readiness(tmp_path: Path):
    """As when two demos choose a port at once: the other one's server answers."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        what = python(tmp_path, READY_AFTER_START, port=port, ready_s=1.0)
        started = launch(what, tmp_path)
        with pytest.raises(DemoError, match=f"another process answers on port {port}"):
            await_ready(what, started)
        end([started])


def test_own_port_is_readiness(tmp_path: Path):
    code = f"import socket; s = socket.create_server(('127.0.0.1', 0)); {READY_AFTER_START}"
    code = code.replace("touch()", "write_text(str(s.getsockname()[1]))")
    what = python(tmp_path, code)
    started = launch(what, tmp_path)
    await_ready(what, started)
    port = int((tmp_path / "ready").read_text())
    await_ready(replace(what, port=port), started)
    assert alive(started)
    end([started])
    with pytest.raises(DemoError, match="one ended while starting"):
        await_ready(replace(what, port=port), started)
