import os
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

from agent.cgroups import CGroups, Found, _mounts, cgroup_of
from agent.requests import Identity
from agent.samples import WorkerView
from tests.agent.processes import until
from tests.privileges import needs_root

PROC = Path("/proc")


def recorded(root, pid, cgroup, mounts):
    """A recorded /proc with one process, and cgroups mounted below `root`."""
    (root / str(pid)).mkdir()
    (root / f"{pid}/cgroup").write_text(cgroup)
    (root / "self").mkdir()
    lines = [
        f"30 1 0:2{n} {base} {root / path} rw - {kind} x rw{words}"
        for n, (base, path, kind, words) in enumerate(mounts)
    ]
    (root / "self/mountinfo").write_text("\n".join(lines) + "\n")


def write(folder, **files):
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(text)


V2 = (("/", "fs", "cgroup2", ""),)


def test_version_2_the_tightest_limit_of_the_path_binds(tmp_path):
    recorded(tmp_path, 5, "0::/kubepods/pod1/app\n", V2)
    stat = "usage_usec 9\nnr_periods 40\nnr_throttled 7\nthrottled_usec 2500000\n"
    write(tmp_path / "fs/kubepods", cpu__max="max 100000\n", memory__max="max\n")
    write(tmp_path / "fs/kubepods/pod1", cpu__max="150000 100000\n", cpu__stat=stat,
          memory__max=f"{1 << 30}\n", memory__current="1000\n")  # fmt: skip
    write(tmp_path / "fs/kubepods/pod1/app", cpu__max="400000 100000\n", memory__max="max\n")
    assert cgroup_of(5, tmp_path) == Found(
        "/kubepods/pod1/app", 1.5, 1 << 30, 1000, periods=40, throttled_periods=7, throttled_s=2.5
    )


def test_version_2_as_a_container_sees_itself(tmp_path):
    recorded(tmp_path, 5, "0::/\n", (("/", "fs", "cgroup2", ""),))
    write(tmp_path / "fs", cpu__max="50000 100000\n", memory__max="4096\n", memory__current="7\n")
    assert cgroup_of(5, tmp_path) == Found("/", 0.5, 4096, 7)


def test_version_1_and_its_word_for_no_limit(tmp_path):
    mounts = (("/", "fs/cpu", "cgroup", ",cpu,cpuacct"), ("/", "fs/memory", "cgroup", ",memory"))
    recorded(tmp_path, 5, "3:cpu,cpuacct:/app\n2:memory:/app\n1:pids:/other\n", mounts)
    write(tmp_path / "fs/cpu", cpu__cfs_quota_us="-1\n", cpu__cfs_period_us="100000\n")
    write(tmp_path / "fs/cpu/app", cpu__cfs_quota_us="200000\n", cpu__cfs_period_us="100000\n",
          cpu__stat="nr_periods 10\nnr_throttled 3\nthrottled_time 1500000000\n")  # fmt: skip
    write(tmp_path / "fs/memory/app", memory__limit_in_bytes="9223372036854771712\n",
          memory__usage_in_bytes="55\n")  # fmt: skip
    assert cgroup_of(5, tmp_path) == Found("/app", 2.0, None, 55, 10, 3, 1.5)


@pytest.mark.parametrize(
    "cgroup", ["", "junk\n", "0::/../elsewhere\n", "0::/not/there\n", "9:cpu:/x\n", "::::\n"]
)
def test_a_cgroup_that_cannot_be_seen_gives_no_limit(tmp_path, cgroup):
    recorded(tmp_path, 5, cgroup, V2)
    found = cgroup_of(5, tmp_path)
    assert found is None or (found.cpu_limit_cores, found.memory_limit_bytes) == (None, None)
    assert cgroup_of(6, tmp_path) is None


def test_a_bind_mount_of_a_part_of_the_tree(tmp_path):
    recorded(tmp_path, 5, "0::/system.slice/app\n", (("/system.slice", "fs", "cgroup2", ""),))
    write(tmp_path / "fs/app", cpu__max="100000 100000\n")
    assert cgroup_of(5, tmp_path).cpu_limit_cores == 1.0


@contextmanager
def mounted(folder):
    """The machine's unified hierarchy, as a host of version 2 (or of both) has it."""
    folder.mkdir()
    subprocess.run(["mount", "-t", "cgroup2", "none", folder], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)


@needs_root
def test_a_real_group_of_version_2_is_found_by_its_path(tmp_path):
    """Its limits are told where it has the controllers; where version 1 has them, it has none."""
    with mounted(tmp_path / "unified") as root:
        group = root / f"dynoscope-test-{os.getpid()}" / "worker"
        group.mkdir(parents=True)
        try:
            with subprocess.Popen([sys.executable, "-c", BURN], stdout=subprocess.PIPE) as process:
                process.stdout.readline()
                (group / "cgroup.procs").write_text(str(process.pid))
                found = cgroup_of(process.pid, PROC)
                ours = [one for one in _mounts(PROC) if one.path == root]
                alone = cgroup_of(process.pid, PROC, ours)
                process.kill()
        finally:
            until(lambda: not (group / "cgroup.procs").read_text())
            group.rmdir()
            group.parent.rmdir()
    path = f"/{group.parent.name}/{group.name}"
    assert [one.controllers for one in ours] == [frozenset()]
    assert found.name == alone.name == path
    assert (alone.cpu_limit_cores, alone.memory_limit_bytes) == (None, None)


BURN = "print('ready', flush=True)\nwhile True: pass"


@needs_root
def test_a_real_group_with_a_quota_throttles_its_worker():
    """The machine's own cgroups, version 1 or 2; needs root, as the agent's tests do."""
    base = Path("/sys/fs/cgroup/cpu")
    old = (base / "cpu.cfs_quota_us").parent.is_dir() and not (base / "cpu.max").exists()
    group = (base if old else Path("/sys/fs/cgroup")) / f"dynoscope-test-{os.getpid()}"
    group.mkdir()
    try:
        if old:
            (group / "cpu.cfs_period_us").write_text("100000")
            (group / "cpu.cfs_quota_us").write_text("20000")
        else:
            (group / "cpu.max").write_text("20000 100000")
        with subprocess.Popen([sys.executable, "-c", BURN], stdout=subprocess.PIPE) as process:
            process.stdout.readline()
            (group / "cgroup.procs").write_text(str(process.pid))
            who = Identity("shop", "h", "")
            worker = WorkerView(1, process.pid, 1, "r1", who, "")
            source, told = CGroups(PROC), []

            def throttled():
                told.extend(source.read([worker]))
                return sum(one.value for one in told if one.name == "cgroup_throttled_s") > 0.2

            until(throttled)
            process.kill()
    finally:
        until(lambda: not (group / "cgroup.procs").read_text())
        group.rmdir()
    limits = {one.value for one in told if one.name == "cgroup_cpu_limit_cores"}
    assert limits == {0.2}
    names = {label for one in told for label in one.labels}
    assert any(group.name in name for name in names)
    assert {one.who for one in told} == {who}
