import os
import time
from threading import Event, Thread

import pytest

from agent.errors import AgentError
from agent.run import Agent, Config, pause_s
from tests.agent.processes import until
from tests.agent.rings import make_ring, write


def config_of(tmp_path):
    return Config(
        url="http://127.0.0.1:1", ring_dir=tmp_path / "rings", spool=tmp_path / "spool",
        token_file=None, host="h", flush_s=0.05, window_s=1,
    )  # fmt: skip


def test_a_disk_that_refuses_is_shown_and_recovered_from(tmp_path):
    ring = make_ring(tmp_path / "rings")
    agent = Agent(config_of(tmp_path))
    stop = Event()
    thread = Thread(target=agent.run, args=(stop,))
    thread.start()
    try:
        until(lambda: agent.flush.cursors)
        (tmp_path / "spool").rename(tmp_path / "away")
        write(ring, 3)
        until(lambda: agent.limits.totals().get("agent.flushes_failed"))
        assert agent.flush.cursors[ring.ring_id].seq == 0
        (tmp_path / "away").rename(tmp_path / "spool")
        until(lambda: agent.flush.cursors[ring.ring_id].seq == 3)
    finally:
        stop.set()
        thread.join(10)
    assert not thread.is_alive()


def test_a_fault_in_a_loop_is_told_and_the_loop_begins_again(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("agent.run.RESTART_AFTER_S", 0.01)
    agent = Agent(config_of(tmp_path))
    stop, runs = Event(), []

    def loop(_):
        runs.append(time.monotonic())
        if len(runs) < 3:
            raise ValueError("a fault")

    agent._guarded("sampling", loop, stop)
    assert len(runs) == 3
    assert agent.limits.totals() == {"agent.sampling_failures": 2}
    assert "a fault" in capsys.readouterr().err
    agent.spool.close()


def test_an_agent_that_cannot_have_its_spool_does_not_start(tmp_path):
    agent = Agent(config_of(tmp_path))
    with pytest.raises(AgentError):
        Agent(config_of(tmp_path))
    agent.spool.close()
    assert os.path.exists(tmp_path / "spool" / "lock")


@pytest.mark.parametrize(
    ("waiting", "pause"), [(0, 5.0), (9, 5.0), (10, 10.0), (25, 15.0), (5_000, 15.0)]
)
def test_a_collector_that_is_behind_gets_fewer_batches(waiting: int, pause: float) -> None:
    assert pause_s(5.0, waiting) == pause
