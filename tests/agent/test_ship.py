import random
import time
from threading import Event, Thread

import pytest

from agent.http import Client
from agent.limits import Limits
from agent.ship import Shipper
from agent.spool import Section, Spool
from agent.tables import ipc_bytes, table_of
from tests.agent.processes import until
from tests.agent.receiver import receiver

HOUR = {"Retry-After": "3600"}


def body(value):
    common = {"ts_ms": [value], "service": "", "host": "h", "region": ""}
    return ipc_bytes(table_of("limits", {**common, "where": "a", "what": "b", "count": value}))


@pytest.fixture
def collector():
    with receiver() as told:
        yield told


@pytest.fixture
def spool(tmp_path):
    spool = Spool(tmp_path, Limits())
    yield spool
    spool.close()


def shipper(spool, url, **settings):
    defaults = {"token_file": None, "wall_ms": lambda: time.time_ns() // 10**6}
    parts = {**defaults, "limits": spool._limits, "rng": random.Random(1), **settings}
    return Shipper(spool, url, **parts)


def commit(spool, *values):
    spool.commit([Section("limits", 1, body(value)) for value in values], {})


def test_sends_everything_in_order_with_the_token(spool, collector, tmp_path):
    token = tmp_path / "ingest.token"
    token.write_text("s3cret\n")
    commit(spool, 1, 2)
    commit(spool, 3)
    with Client() as client:
        assert shipper(spool, collector.url, token_file=token).send_all(client) is None
    assert [row["count"] for row in collector.rows("limits")] == [1, 2, 3]
    assert {call[2:] for call in collector.calls} == {(1, "Bearer s3cret", 204)}
    assert spool.oldest() is None


def test_a_rejected_batch_is_set_aside_and_the_rest_goes_on(spool, collector):
    collector.answers = [(204, {}), (400, {}), (413, {})]
    commit(spool, 1, 2, 3, 4)
    one = shipper(spool, collector.url)
    with Client() as client:
        assert one.send_all(client) is None
    assert [row["count"] for row in collector.rows("limits")] == [1, 4]
    reasons = sorted(path.read_text() for path in spool.rejected.glob("*.txt"))
    assert [reason[:4] for reason in reasons] == ["400:", "413:"]
    assert "column cost: missing" in reasons[0]
    assert spool._limits.totals()["agent.batches_rejected"] == 2
    assert spool.oldest() is None


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_is_honoured(spool, collector, status):
    collector.answers = [(status, {"Retry-After": "7"})]
    commit(spool, 1)
    one = shipper(spool, collector.url)
    with Client() as client:
        assert 7 <= one.send_all(client) <= 7.5
        assert "busy" in one.state and str(status) in one.last_error
        assert one.send_all(client) is None
    assert [call[2] for call in collector.calls] == [1, 2]


def test_retry_after_as_a_date_and_as_nonsense(spool, collector):
    date = {"Retry-After": "Thu, 01 Jan 1970 00:01:30 GMT"}
    collector.answers = [(503, date), (503, {"Retry-After": "soon"}), (503, {})]
    commit(spool, 1)
    one = shipper(spool, collector.url, wall_ms=lambda: 60_000)
    with Client() as client:
        assert 30 <= one.send_all(client) <= 30.5
        assert 0 < one.send_all(client) <= 0.5
        assert 0 < one.send_all(client) <= 1.0


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_refused_token_keeps_the_data_and_is_tried_slowly(spool, collector, status):
    collector.answers = [(status, {})]
    commit(spool, 1)
    one = shipper(spool, collector.url)
    with Client() as client:
        assert 20 < one.send_all(client) < 40
        assert "refuse" in one.state
        assert spool.oldest() is not None and not list(spool.rejected.iterdir())
        assert one.send_all(client) is None
    assert len(collector.rows("limits")) == 1


def test_pauses_grow_and_shrink_again(spool, collector):
    collector.answers = [(500, {})] * 9
    commit(spool, 1)
    one = shipper(spool, collector.url)
    with Client() as client:
        waits = [one.send_all(client) for _ in range(9)]
        assert waits[0] < 0.5 and waits[3] > 1.9 and 15 <= waits[8] <= 30
        assert one.send_all(client) is None
        assert one.last_error == ""
        collector.answers = [(500, {})]
        commit(spool, 2)
        assert one.send_all(client) < 0.5


def test_a_missing_token_file_is_said_and_loses_nothing(spool, collector, tmp_path):
    commit(spool, 1)
    one = shipper(spool, collector.url, token_file=tmp_path / "absent")
    with Client() as client:
        assert one.send_all(client) is not None
    assert "token file" in one.last_error and collector.calls == []
    assert spool.oldest() is not None


def test_a_collector_that_is_away_and_comes_back_gets_all_in_order(spool):
    with receiver() as gone:
        port = int(gone.url.rpartition(":")[2])
    one = shipper(spool, f"http://127.0.0.1:{port}", backoff_s=(0.01, 0.05))
    stop = Event()
    thread = Thread(target=one.run, args=(stop,))
    thread.start()
    try:
        for value in range(20):
            commit(spool, value)
        until(lambda: one.last_error)
        assert "not reached" in one.last_error
        with receiver(port) as back:
            until(lambda: len(back.taken) == 20)
            assert [row["count"] for row in back.rows("limits")] == list(range(20))
    finally:
        stop.set()
        one.wake.set()
        thread.join()


def test_what_an_earlier_process_may_have_sent_is_a_second_attempt(collector, tmp_path):
    first = Spool(tmp_path, Limits())
    commit(first, 1)
    first.close()
    second = Spool(tmp_path, Limits())
    commit(second, 2)
    with Client() as client:
        shipper(second, collector.url).send_all(client)
    second.close()
    assert [call[2] for call in collector.calls] == [2, 1]


def test_a_stop_is_followed_at_once_and_sends_what_is_left(spool, collector):
    collector.answers = [(503, HOUR)]
    commit(spool, 1)
    one = shipper(spool, collector.url)
    stop = Event()
    thread = Thread(target=one.run, args=(stop,))
    thread.start()
    until(lambda: collector.calls)
    stop.set()
    thread.join(10)
    assert not thread.is_alive()
    assert len(collector.rows("limits")) == 1
