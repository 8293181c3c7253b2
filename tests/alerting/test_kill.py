"""kill -9 at each point between seeing a burn and knowing that its page arrived."""

import subprocess
import sys
from pathlib import Path

from collector.store.store import open_store
from tests.alerting.conftest import Receiver
from tests.alerting.traffic import MINUTE_MS, START_MS, put_requests

NOW_MS = START_MS + MINUTE_MS
#: Evaluates and delivers once, and dies at the point that it is told.
EVALUATOR = """\
import os, signal, sys
from pathlib import Path
from alerting.build import build_evaluator
from alerting.receivers import Webhook
from collector.store.store import Store, open_store

folder, url, point, now_ms = sys.argv[1:]

def die():
    os.kill(os.getpid(), signal.SIGKILL)

def dying(function, prefix, before, after):
    def call(*given, **named):
        is_it = prefix is None or str(given[-1]).startswith(prefix)
        if is_it and point == before:
            die()
        result = function(*given, **named)
        if is_it and point == after:
            die()
        return result
    return call

Store.insert = dying(Store.insert, "alert-", "before it is written", "once it is written")
Webhook.send = dying(Webhook.send, None, "before it is sent", "once it is sent")
store = open_store(Path(folder))
evaluator = build_evaluator(
    store, slo_window_s=3600, settle_s=0, webhooks=[url], webhook_timeout_s=20, diagnosis_s=60
)
evaluator.evaluate_once(int(now_ms))
assert evaluator.deliver_once(int(now_ms)) == 0
store.close()
"""
POINTS = (
    "before it is written",
    "once it is written",
    "before it is sent",
    "once it is sent",
)


def run(folder: Path, url: str, point: str, now_ms: int) -> int:
    command = [sys.executable, "-c", EVALUATOR, str(folder), url, point, str(now_ms)]
    return subprocess.run(command, timeout=300).returncode


def test_no_alert_is_lost_and_at_most_one_is_repeated_under_its_id(
    tmp_path: Path, receiver: Receiver
) -> None:
    folder = tmp_path / "store"
    store = open_store(folder)
    put_requests(store, start_ms=START_MS, span_ms=MINUTE_MS, n=600, wall_ms=700)
    store.close()
    for number, point in enumerate(POINTS):
        assert run(folder, receiver.url, point, NOW_MS + number * 1_000) == -9
    assert receiver.states() == ["firing"]  # sent, but nobody knows it
    for number in range(2):
        assert run(folder, receiver.url, "", NOW_MS + (number + 5) * 1_000) == 0
    assert receiver.states() == ["firing", "firing"]
    assert len({payload["notification_id"] for payload in receiver.taken}) == 1
