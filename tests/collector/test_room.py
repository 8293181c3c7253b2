"""How much of ingest may be under way at once."""

import threading

import pytest

from collector.errors import Refused
from collector.room import Room


def test_a_place_is_given_back_whatever_happens_in_it():
    room = Room(1, 100)
    for _ in range(3):
        with pytest.raises(ZeroDivisionError), room.place(60) as place:
            place.hold(40)
            raise ZeroDivisionError
    assert (room._batches, room._bytes, room._waiting) == (0, 0, 0)


def test_past_the_slots_one_waits_and_is_sent_away():
    room = Room(1, 100, wait_s=0.01)
    with room.place(1):
        with pytest.raises(Refused, match="busy") as caught, room.place(1):
            pass
        assert caught.value.status == 503


def test_past_the_queue_one_is_sent_away_at_once():
    room = Room(1, 100, waiting_max=0, wait_s=3_600)
    with room.place(1):
        with pytest.raises(Refused, match="Too many") as caught, room.place(1):
            pass
        assert caught.value.status == 429


def test_bytes_are_bounded_over_all_batches():
    room = Room(4, 100, wait_s=0.01)
    with room.place(50) as first, room.place(40) as second:
        with pytest.raises(Refused) as caught:
            second.hold(11)
        assert caught.value.status == 503
        first.hold(10)
        with pytest.raises(Refused), room.place(1):
            pass
    assert room._bytes == 0


def test_a_batch_that_is_alone_is_never_too_large():
    room = Room(4, 100, wait_s=0.01)
    with room.place(150) as place:
        place.hold(1_000)
        assert room._bytes == 1_150
        with pytest.raises(Refused), room.place(1):
            pass


def test_one_that_waits_gets_the_place_that_becomes_free():
    room, got, waits = Room(1, 100, wait_s=60), threading.Event(), threading.Event()

    def second() -> None:
        waits.set()
        with room.place(1):
            got.set()

    with room.place(1):
        thread = threading.Thread(target=second)
        thread.start()
        assert waits.wait(60)
        assert not got.is_set()
    thread.join(60)
    assert got.is_set()
