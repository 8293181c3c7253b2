"""A machine whose clock is wrong goes by the store's."""

import time

import pytest

from alerting.store_clock import StoreClock
from collector.store.errors import StoreError
from collector.store.store import Store


def test_a_right_clock_is_left_alone_and_a_wrong_one_put_right(stored: Store) -> None:
    assert StoreClock(stored, lambda: 10.0)() == pytest.approx(time.time(), abs=30)
    right = StoreClock(stored)
    now_s = right()
    assert time.time() - now_s < 30
    assert right._ahead_s == 0 or abs(right._ahead_s) > 1


def test_the_store_is_asked_once_a_minute_and_may_be_away(
    stored: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    said, asked = [0.0], []
    query = Store.query

    def counted(store: Store, name: str):
        asked.append(name)
        if len(asked) > 1:
            raise StoreError("away")
        return query(store, name)

    monkeypatch.setattr(Store, "query", counted)
    clock = StoreClock(stored, lambda: said[0])
    first_s = clock()
    said[0] = 59.0
    assert clock() == first_s + 59 and asked == ["now"]
    said[0] = 61.0
    assert clock() == first_s + 61 and asked == ["now", "now"]
