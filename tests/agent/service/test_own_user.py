"""The agent as its unit runs it: a user of its own with CAP_SYS_PTRACE, beside others' workers."""

import functools
import os
import signal
import subprocess
import sys
import sysconfig
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.agent.processes import CONTAINER, ROOT, ask, until
from tests.agent.receiver import receiver
from tests.agent.service.test_unit import CONTAINERS, UNIT, unit
from tests.agent.test_command import status_of
from tests.privileges import needs_root

AGENT, WORKER, GROUP = 64_001, 64_002, 64_200
PATHS = [str(ROOT), str(ROOT / "probe"), sysconfig.get_path("purelib")]
STOP_WITHIN_S = 5.0


def as_user(user: int, *capabilities: str) -> list[str]:
    """A command prefix: this user, the shared group, these capabilities and no other."""
    wanted = ",".join(["-all", *(f"+{name}" for name in capabilities)])
    return [
        "setpriv", f"--reuid={user}", f"--regid={user}", f"--groups={GROUP}", "--no-new-privs",
        f"--inh-caps={wanted}", f"--ambient-caps={wanted}", f"--bounding-set={wanted}",
    ]  # fmt: skip


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join(PATHS), "HOME": "/nonexistent"}


@functools.cache
def python() -> str:
    """An interpreter that another user may start and read: not one below /root."""
    for candidate in (sys.executable, "/usr/bin/python3"):
        test = [*as_user(WORKER), candidate, "-c", "import numpy, pyarrow, dynoscope_probe"]
        if subprocess.run(test, env=environment(), capture_output=True).returncode == 0:
            return candidate
    pytest.fail("no Python here that other users may start: /usr/bin/python3 should be one")


@pytest.fixture
def folder(tmp_path):
    """Folders as the unit, sysusers and tmpfiles make them, where any user may pass."""
    for part in (tmp_path, *tmp_path.parents):
        if part.stat().st_uid == os.getuid() and part != Path("/"):
            part.chmod(part.stat().st_mode | 0o011)
    (tmp_path / "rings").mkdir()
    os.chown(tmp_path / "rings", 0, GROUP)
    (tmp_path / "rings").chmod(0o2770)
    (tmp_path / "spool").mkdir(mode=0o750)
    os.chown(tmp_path / "spool", AGENT, AGENT)
    return tmp_path


@contextmanager
def started(prefix: list[str], *words: str, log: Path) -> Iterator[subprocess.Popen[str]]:
    with log.open("ab") as errors:
        process = subprocess.Popen(
            [*prefix, python(), *words],
            cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True,
            env=environment(),
        )  # fmt: skip
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def agent(folder: Path, url: str, *drop_ins: Path):
    given = [unit(one)["Service"]["AmbientCapabilities"] for one in (UNIT, *drop_ins)]
    capabilities = [name.removeprefix("CAP_").lower() for name in given]
    return started(
        as_user(AGENT, *capabilities), "-m", "dynoscope", "agent", "run", "--url", url,
        "--ring-dir", str(folder / "rings"), "--spool", str(folder / "spool"),
        "--flush-s", "0.5", "--window-s", "1", "--budget", "50%", "--rate", "50",
        "--statsd-port", "0", "--metrics-port", "0", log=folder / "agent.log",
    )  # fmt: skip


@needs_root
def test_records_and_stacks_of_another_user_and_a_quick_stop_that_loses_nothing(folder):
    worker = started(
        as_user(WORKER), "-m", "tests.agent.targets.busy_worker", str(folder / "rings"), "65536",
        log=folder / "worker.log",
    )  # fmt: skip
    with receiver() as collector, worker as busy:
        assert busy.stdout.readline() == "ready\n", (folder / "worker.log").read_text()
        (ring,) = (folder / "rings").glob("*.ring")
        assert (ring.stat().st_gid, ring.stat().st_mode & 0o777) == (GROUP, 0o660)
        with agent(folder, collector.url) as process:
            until(lambda: collector.rows("stack_samples"))
            (seen,) = status_of(folder / "spool")["workers"]
            began = time.monotonic()
            process.send_signal(signal.SIGTERM)
            assert process.wait(STOP_WITHIN_S + 5) == 0, (folder / "agent.log").read_text()
            stopped_s = time.monotonic() - began
        assert (seen["permission"], seen["reason"]) == (True, "")
        assert stopped_s < STOP_WITHIN_S
        ring_id, written = map(int, ask(busy, "stop").split())
        with agent(folder, collector.url):
            until(lambda: len(collector.identities()) >= written, 120)
            until(lambda: not ring.exists())
    assert sorted(collector.identities()) == [(ring_id, seq) for seq in range(1, written + 1)]
    assert "GET /feed" in {row["endpoint"] for row in collector.rows("stack_samples")}
    names = {row["name"] for row in collector.rows("metrics")}
    assert {"worker_rss_bytes", "worker_pss_bytes"} <= names


@needs_root
def test_with_the_drop_in_the_agents_user_has_stacks_of_a_container(folder):
    worker = started(
        [*CONTAINER, *as_user(WORKER)], "-m", "tests.agent.targets.busy_worker",
        str(folder / "rings"), "65536", log=folder / "worker.log",
    )  # fmt: skip
    with receiver() as collector, worker as busy:
        assert busy.stdout.readline() == "ready\n", (folder / "worker.log").read_text()
        with agent(folder, collector.url):
            until(lambda: (now := status_of(folder / "spool")) and now["workers"])
            (seen,) = status_of(folder / "spool")["workers"]
        assert "give the agent CAP_SYS_ADMIN besides" in seen["reason"]
        with agent(folder, collector.url, CONTAINERS):
            until(lambda: collector.rows("stack_samples"))
    assert "GET /feed" in {row["endpoint"] for row in collector.rows("stack_samples")}


@needs_root
def test_without_the_capability_it_counts_and_says_what_is_missing(folder):
    worker = started(
        as_user(WORKER), "-m", "tests.agent.targets.busy_worker", str(folder / "rings"), "65536",
        log=folder / "worker.log",
    )  # fmt: skip
    words = ["doctor", "--json", "--ring-dir", str(folder / "rings"), "--url", "http://127.0.0.1:1"]
    words += ["--spool", str(folder / "spool")]
    with worker as busy:
        assert busy.stdout.readline() == "ready\n"
        with started(as_user(AGENT), "-m", "dynoscope", *words, log=folder / "log") as bare:
            said, _ = bare.communicate()
        caps = as_user(AGENT, "sys_ptrace")
        with started(caps, "-m", "dynoscope", *words, log=folder / "log") as able:
            could, _ = able.communicate()
    assert (
        "give the agent CAP_SYS_PTRACE" in said and "CAP_SYS_PTRACE" not in could.split("mend")[0]
    )
    assert "has CAP_SYS_PTRACE" in could and "reads the stacks of the worker" in could


@needs_root
def test_the_init_container_can_make_the_ring_folder_without_capabilities(folder):
    made = folder / "shared"
    made.mkdir(mode=0o755)
    prefix = as_user(0)
    done = subprocess.run([*prefix, "install", "-d", "-m", "2770", "-g", str(GROUP), made])
    assert done.returncode == 0
    assert (made.stat().st_gid, made.stat().st_mode & 0o7777) == (GROUP, 0o2770)
