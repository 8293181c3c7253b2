"""Two evaluators over one ClickHouse server, on machines whose clocks are wrong by minutes."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from alerting.build import build_evaluator
from alerting.evaluator import Evaluator
from alerting.store_clock import StoreClock
from collector.store.alert_reads import alert_events
from collector.store.store import Store, open_store
from tests.alerting.conftest import Receiver
from tests.alerting.traffic import put_requests

RULES = """\
slos:
  - name: slow
    objective: 99%
    good: within 500 ms
    window: 1d
    burn: [{factor: 10, long: 1h, short: 10m, severity: page}]
"""
#: Twice the diagnosis limit and an interval.
DIAGNOSIS_S, INTERVAL_S, GRACE_S = 10.0, 5.0, 25.0


@dataclass
class Machine:
    """One evaluator with a connection of its own. `clock_s`: what its own clock says."""

    evaluator: Evaluator
    store: Store
    clock_s: float

    def own_clock(self) -> float:
        return self.clock_s

    def look(self, later_s: float = 0.0) -> int:
        """Evaluate and deliver `later_s` after the last time; how many wait."""
        self.clock_s += later_s
        now_ms = int(self.evaluator.clock() * 1000)
        assert self.evaluator.evaluate_once(now_ms).failures == ()
        return self.evaluator.deliver_once(now_ms)


@pytest.fixture
def machines(
    request: pytest.FixtureRequest, tmp_path: Path, receiver: Receiver
) -> Iterator[tuple[Machine, Machine]]:
    """Ten minutes slow, and five fast; there is a burn when they begin."""
    (tmp_path / "slow.yaml").write_text(RULES)
    url = request.getfixturevalue("clickhouse").url(f"two_{time.time_ns()}")
    found = []
    for name, wrong_s in (("a", -600.0), ("b", 300.0)):
        store = open_store(url)
        evaluator = build_evaluator(
            store,
            rules_dir=tmp_path,
            bundled=False,
            webhooks=[receiver.url],
            webhook_timeout_s=30,
            interval_s=INTERVAL_S,
            diagnosis_s=DIAGNOSIS_S,
            settle_s=0,
            instance=name,
        )
        one = Machine(evaluator, store, time.time() + wrong_s)
        evaluator.clock = StoreClock(store, one.own_clock)
        found.append(one)
    now_ms = int(found[0].evaluator.clock() * 1000)
    put_requests(found[0].store, start_ms=now_ms - 5_000, span_ms=2_000, n=1_200, wall_ms=700)
    yield found[0], found[1]
    for one in found:
        one.store.close()


def told(store: Store) -> list[tuple[str, str]]:
    """(state, by whom) of what is known."""
    events = alert_events(
        store, from_ms=0, to_ms=2**42, states=["firing", "delivered", "failed"], limit=100
    )
    return sorted((event.state, event.by) for event in events)


def test_what_one_has_delivered_the_other_does_not_send(
    machines: tuple[Machine, Machine], receiver: Receiver
) -> None:
    first, second = machines
    assert first.look() == 0
    assert [second.look(later_s) for later_s in (0, 5, 25)] == [0, 0, 0]
    assert receiver.states() == ["firing"]
    assert told(second.store) == [("delivered", "courier"), ("firing", "a")]


def test_what_one_could_not_deliver_the_other_sends_once_after_the_grace(
    machines: tuple[Machine, Machine], receiver: Receiver
) -> None:
    first, second = machines
    receiver.answers = [500]
    assert first.look() == 1  # and then it is cut off from the receiver
    assert second.look() == 1
    assert len(receiver.got) == 1
    assert second.look(GRACE_S - 10) == 1
    assert len(receiver.got) == 1
    assert second.look(15) == 0
    assert receiver.states() == ["firing"]
    first.clock_s += 30
    assert first.look() == 0  # back again, it finds that it is done
    assert len(receiver.got) == 2
    assert len({payload["notification_id"] for payload in receiver.got}) == 1
    assert [state for state, _ in told(first.store)] == ["delivered", "failed", "firing"]
