import os
import random
import time

import numpy as np
import pytest

from agent.errors import RingRefused
from agent.rings import open_ring
from agent.slots import RECORD_DTYPE
from dynoscope_probe import layout
from tests.agent.rings import begin, make_ring, packed, write


@pytest.fixture
def pair(tmp_path):
    writer = make_ring(tmp_path, records=64)
    from pathlib import Path

    reader = open_ring(Path(writer.path))
    yield writer, reader
    reader.close()
    writer.close()


def drain(reader, cursor, alive=True):
    return reader.drain(cursor, reader.counters()["written"], alive=alive)


def poke(writer, offset, data):
    with open(writer.path, "r+b") as file:
        file.seek(offset)
        file.write(data)


def record_at(reader, seq):
    return reader.header.records_offset + seq % reader.header.record_count * layout.RECORD_BYTES


def test_the_record_type_reads_what_the_layout_packs():
    values = {name: number + 1 for number, name in enumerate(layout.RECORD_FIELDS)}
    slot = layout.RECORD_PREFIX.pack(77, 88) + packed(**values)
    row = np.frombuffer(slot.ljust(layout.RECORD_BYTES, b"\0"), RECORD_DTYPE)[0]
    assert (row["seq"], row["crc"]) == (77, 88)
    assert {name: int(row[name]) for name in layout.RECORD_FIELDS} == values


def test_drains_what_is_new_and_nothing_twice(pair):
    writer, reader = pair
    write(writer, 5, cost=11)
    first = drain(reader, 0)
    assert first.records["seq"].tolist() == [1, 2, 3, 4, 5]
    assert first.records["cost"].tolist() == [11] * 5
    assert (first.cursor, first.dropped, first.torn) == (5, 0, 0)
    assert len(drain(reader, first.cursor).records) == 0
    write(writer, 1)
    assert drain(reader, first.cursor).records["seq"].tolist() == [6]


def test_strings_are_read_as_they_come(pair):
    writer, reader = pair
    reader.read_strings(reader.counters()["strings_used"])
    assert reader.string(reader.header.service_id) == "shop"
    _, endpoint_id = writer.endpoint_id("GET /ä/")
    assert reader.string(endpoint_id) == ""
    reader.read_strings(reader.counters()["strings_used"])
    assert reader.string(endpoint_id) == "GET /ä/"
    assert reader.string(0) == reader.string(10**6) == ""


def test_a_string_with_a_wrong_checksum_is_skipped_and_counted(pair):
    writer, reader = pair
    _, first = writer.endpoint_id("GET /first/")
    _, second = writer.endpoint_id("GET /second/")
    with open(writer.path, "rb") as file:
        at = file.read().index(b"GET /first/")
    poke(writer, at, b"PUT")
    reader.read_strings(reader.counters()["strings_used"])
    assert (reader.string(first), reader.string(second)) == ("", "GET /second/")
    assert reader.strings_torn == 1


def test_overwritten_records_are_counted_as_dropped_with_their_number(pair):
    writer, reader = pair
    write(writer, 10)
    cursor = drain(reader, 0).cursor
    write(writer, 64 + 7)
    got = drain(reader, cursor)
    assert (got.dropped, got.torn) == (7, 0)
    assert got.records["seq"].tolist() == list(range(18, 82))


def test_a_torn_record_is_counted_and_passed_over(pair):
    writer, reader = pair
    write(writer, 5)
    poke(writer, record_at(reader, 3) + 40, b"\xff\xff\xff")
    got = drain(reader, 0)
    assert got.records["seq"].tolist() == [1, 2, 4, 5]
    assert (got.cursor, got.dropped, got.torn) == (5, 0, 1)


def test_a_record_that_a_thread_has_not_stored_yet_is_waited_for(pair):
    writer, reader = pair
    write(writer, 5)
    with open(writer.path, "rb") as file:
        file.seek(record_at(reader, 4))
        fourth = file.read(layout.RECORD_BYTES)
    poke(writer, record_at(reader, 4), b"\0" * 8)
    got = drain(reader, 0)
    assert (got.records["seq"].tolist(), got.cursor, got.dropped) == ([1, 2, 3], 3, 0)
    poke(writer, record_at(reader, 4), fourth)
    assert drain(reader, got.cursor).records["seq"].tolist() == [4, 5]
    poke(writer, record_at(reader, 4), b"\0" * 8)
    assert drain(reader, 0, alive=False).records["seq"].tolist() == [1, 2, 3, 5]


@pytest.mark.parametrize("written", [2**63, 2**40, 70, 0])
def test_a_wrong_counter_moves_no_cursor_beyond_what_is_there(pair, written):
    writer, reader = pair
    write(writer, 5)
    got = reader.drain(2, written, alive=True)
    assert got.cursor <= 5
    assert set(got.records["seq"].tolist()) <= {3, 4, 5}


def test_in_flight_requests_and_those_that_were_recorded_all_the_same(pair):
    writer, reader = pair
    started_ns = time.time_ns()
    slot = begin(writer, "GET /slow", started_ns)
    (one,) = reader.in_flight()
    assert (one.slot, one.started_ns, one.trace_id_high) == (slot, started_ns, 5)
    assert not reader.has_record(slot, started_ns)
    write(writer, 1, started_ns=started_ns, thread_slot=slot)
    assert reader.has_record(slot, started_ns)


@pytest.mark.parametrize(
    ("offset", "data", "reason"),
    [
        (0, b"XXXXXXXX", "not a ring"),
        (8, b"\x09", "version 9"),
        (20, b"\xff", "wrong checksum"),
    ],
)
def test_a_bad_header_is_refused_with_its_reason(pair, offset, data, reason):
    writer, reader = pair
    poke(writer, offset, data)
    with pytest.raises(RingRefused, match=reason):
        open_ring(reader.path)


def test_what_is_no_ring_file_is_refused(tmp_path):
    for name in ("x.ring", "1-00000000000000aa.ring"):
        (tmp_path / name).write_bytes(b"short")
        with pytest.raises(RingRefused):
            open_ring(tmp_path / name)
    (tmp_path / "2-00000000000000aa.ring").symlink_to("/dev/zero")
    os.mkfifo(tmp_path / "3-00000000000000aa.ring")
    for number in (2, 3, 4):
        with pytest.raises(RingRefused):
            open_ring(tmp_path / f"{number}-00000000000000aa.ring")


def test_a_ring_cut_short_under_the_reader_gives_no_records(pair):
    writer, reader = pair
    write(writer, 5)
    written = reader.counters()["written"]
    os.truncate(writer.path, 100)
    assert len(reader.drain(0, written, alive=True).records) == 0
    assert reader.counters()["written"] == 0
    assert reader.in_flight() == []


@pytest.mark.parametrize("rounds", [300, pytest.param(20_000, marks=pytest.mark.long)])
def test_random_bytes_anywhere_never_raise_and_no_wrong_record_comes_out(tmp_path, rounds):
    rng = random.Random(7 + rounds)
    for _ in range(rounds):
        writer = make_ring(tmp_path, records=16, details=16)
        write(writer, rng.randrange(40), cost=99)
        for _ in range(rng.randrange(40)):
            writer.write_detail(b"\1" * layout.DETAIL_BODY_BYTES)
        size = os.path.getsize(writer.path)
        reader = None
        for _ in range(rng.choice((1, 3, 30))):
            at = rng.choice((rng.randrange(2200), rng.randrange(size)))
            poke(writer, at, bytes([rng.randrange(256)]))
            try:
                reader = reader or open_ring(tmp_path / os.path.basename(writer.path))
            except RingRefused:
                continue
            reader.read_strings(reader.counters()["strings_used"])
            got = drain(reader, rng.randrange(20), alive=rng.random() < 0.5)
            assert all(got.records["cost"] == 99)
            assert got.dropped >= 0
            written = reader.counters()["details_written"]
            details = reader.drain_details(rng.randrange(20), written, alive=rng.random() < 0.5)
            assert all(one["rest"].tobytes() == b"\1" * 115 for one in details.records)
            reader.in_flight()
        if reader:
            reader.close()
        os.unlink(writer.path)
        writer.close()
