"""A feed under uWSGI becomes slow: ring, agent, collector, rule, page; and it mends, and that."""

import contextlib
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

from tests.alerting.conftest import Receiver
from tests.alerting.feed_app import SLOW_S
from tests.probe.serving import UWSGI, environment, free_port, get, process, server, wait_for

ROOT = Path(__file__).parents[2]
FEED = "GET /feed/<user>/"
RULES = f"""\
slos:
  - name: feed-latency
    title: The feed
    endpoint: {FEED}
    objective: 90%
    good: within 250 ms
    window: 1h
    keep_firing_for: 1s
    burn: [{{factor: 5, long: 6s, short: 2s, severity: page}}]
"""


@contextlib.contextmanager
def platform(tmp_path: Path, ring_dir: Path, hook: str) -> Iterator[None]:
    """A collector that looks at the rules every second, and an agent that flushes as often."""
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "feed.yaml").write_text(RULES)
    data, port, env = tmp_path / "data", free_port(), environment(ring_dir)
    serve = [
        sys.executable, "-m", "dynoscope", "serve", "--data", str(data), "--port", str(port),
        "--no-bundled-rules", "--rules", str(tmp_path / "rules"), "--webhook", hook,
        "--evaluate-every-s", "1", "--settle-s", "0",
    ]  # fmt: skip
    agent = [
        sys.executable, "-m", "dynoscope", "agent", "run", "--url", f"http://127.0.0.1:{port}",
        "--ring-dir", str(ring_dir), "--spool", str(tmp_path / "spool"), "--statsd-port", "0",
        "--metrics-port", "0", "--flush-s", "1", "--token-file", str(data / "ingest.token"),
    ]  # fmt: skip
    with server(serve, env, port, cwd=ROOT), process(agent, env, cwd=ROOT):
        yield


@contextlib.contextmanager
def traffic(port: int) -> Iterator[list[int]]:
    """Requests, one after the other, until the end; gives how they were answered."""
    stop, answers = threading.Event(), []

    def ask() -> None:
        while not stop.is_set():
            answers.append(get(port, f"/feed/{len(answers)}/")[0])
            stop.wait(0.03)

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield answers
    finally:
        stop.set()
        thread.join(30)


def test_a_feed_that_becomes_slow_pages_and_resolves(tmp_path: Path, receiver: Receiver) -> None:
    ring_dir, port, slow = tmp_path / "rings", free_port(), tmp_path / "slow"
    env = environment(ring_dir, SLOW_FILE=str(slow), DYNOSCOPE_RELEASE="r7")
    uwsgi = [
        *UWSGI, "--http-socket", f"127.0.0.1:{port}", "--processes", "2", "--module",
        "feed_app:app", "--py-call-osafterfork", "--import", "dynoscope_probe.uwsgi",
    ]  # fmt: skip
    with (
        platform(tmp_path, ring_dir, receiver.url),
        server(uwsgi, env, port, cwd=Path(__file__).parent),
        traffic(port) as answers,
    ):
        wait_for(lambda: len(answers) > 60, "a fast feed")
        assert receiver.got == []
        slow.touch()
        wait_for(lambda: receiver.taken, "the page")
        slow.unlink()
        wait_for(lambda: len(receiver.taken) == 2, "its end")
    firing, resolved = receiver.taken
    assert set(answers) == {200}
    assert (firing["rule"], firing["state"], firing["severity"]) == (
        "feed-latency",
        "firing",
        "page",
    )
    assert firing["labels"]["endpoint"] == FEED and firing["labels"]["release"] == "r7"
    assert firing["summary"].startswith("The feed breaks in shop: ")
    assert firing["details"]["requests"][0]["wall_ms"] > SLOW_S * 1000
    assert firing["details"]["diagnosis_error"] == ""
    assert (resolved["state"], resolved["id"]) == ("resolved", firing["id"])
    assert receiver.got == receiver.taken
