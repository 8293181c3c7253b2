import signal
import subprocess
import sys

import pytest

from tests.probe.reading import read_rings
from tests.probe.serving import APPS, BIN, environment, process, wait_for

ROOT = str(APPS.parents[2])
CELERY = [sys.executable, "-m", "celery", "-A", "tests.probe.apps.celery_app"]


@pytest.fixture
def env(ring_dir, tmp_path):
    for folder in ("messages", "control"):
        (tmp_path / folder).mkdir()
    return environment(ring_dir, BROKER_DIR=str(tmp_path))


def send(env, *calls, times=1):
    """Send tasks: (name, arguments) of each."""
    code = (
        "from tests.probe.apps.celery_app import app\n"
        f"for call in {calls!r} * {times}: app.send_task(*call)"
    )
    subprocess.run([sys.executable, "-c", code], env=env, cwd=ROOT, check=True)


def all_records(ring_dir):
    return [
        (ring, record, ring.text(record["endpoint_id"]))
        for ring in read_rings(ring_dir)
        for record in ring.records
    ]


@pytest.mark.parametrize("pool", ["prefork", "threads"])
def test_one_record_a_task(ring_dir, env, pool):
    worker = [*CELERY, "worker", "-P", pool, "-c", "2", "--without-gossip", "--without-mingle"]
    send(env, *[("feed.fan_out", (0.02,))] * 6, ("feed.broken",), ("feed.again",))
    with process(worker, env, cwd=ROOT, stop=signal.SIGQUIT):
        wait_for(lambda: len(all_records(ring_dir)) == 9, "nine records")
        records = all_records(ring_dir)
        if pool == "prefork":
            assert len(read_rings(ring_dir)) == 2
            the_stack_of_a_task_carries_its_name(ring_dir, env)
    names = sorted(name for _, _, name in records)
    assert names == ["task feed.again"] * 2 + ["task feed.broken"] + ["task feed.fan_out"] * 6
    assert {record["kind"] for _, record, _ in records} == {1}
    assert {record["status"] for _, record, _ in records} == {0}
    outcomes = {(name, record["outcome"]) for _, record, name in records}
    assert outcomes == {("task feed.fan_out", 0), ("task feed.broken", 1), ("task feed.again", 0)}
    costs = [record["cost"] for _, record, name in records if "fan_out" in name]
    assert all(cost >= 0.019e9 for cost in costs)


def the_stack_of_a_task_carries_its_name(ring_dir, env):
    send(env, ("feed.fan_out", (4,)))
    (ring,) = wait_for(
        lambda: [ring for ring in read_rings(ring_dir) if ring.in_flight], "the task"
    )
    dump = [str(BIN / "py-spy"), "dump", "--pid", str(ring.header["pid"])]
    found = subprocess.run(dump, check=True, capture_output=True, text=True).stdout
    assert "task feed.fan_out (<endpoint>" in found
