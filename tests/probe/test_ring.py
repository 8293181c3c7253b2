import os
import random
import threading

import pytest

from dynoscope_probe import layout, ring
from dynoscope_probe.ring import Facts, open_ring
from tests.probe.reading import read_ring

FACTS = Facts(
    pid=os.getpid(), worker=3, pid_namespace=7, created_ns=11, process_start_ticks=13, unit=1,
    service="shop", host="web-1", region="", release="r1", runtime="cpython 3.11",
    cpu_model="a cpu", unit_reason="ENOENT", sys_path="/a\n/b",
)  # fmt: skip


def body(number):
    return layout.RECORD.pack(*[number % 200] * len(layout.RECORD_FIELDS))


@pytest.fixture
def opened(tmp_path):
    made = open_ring(str(tmp_path), 16, FACTS)
    yield made
    made.close()


def test_the_record_fits_its_slot():
    assert layout.RECORD_PREFIX.size + layout.RECORD.size <= layout.RECORD_BYTES
    assert layout.SLOT.size == layout.SLOT_BYTES
    assert layout.SPAN.size == layout.FUNCTION_COST.size == layout.DETAIL_BODY_BYTES
    assert layout.HEADER.size + 4 <= layout.COUNTERS_OFFSET
    assert layout.COUNTERS_OFFSET + layout.COUNTERS.size <= layout.CONTROL_OFFSET


def test_what_is_written_is_read(opened):
    opened.write(body(1))
    opened.write(body(2))
    read = read_ring(opened.path)
    assert [record["seq"] for record in read.records] == [1, 2]
    assert [record["wall_ns"] for record in read.records] == [1, 2]
    assert read.counters["written"] == 2
    assert (read.header["worker"], read.header["pid"]) == (3, os.getpid())
    strings = {name: read.text(read.header[f"{name}_id"]) for name in ("service", "sys_path")}
    assert strings == {"service": "shop", "sys_path": "/a\n/b"}


def test_details_are_beside_the_records_and_go_round_on_their_own(tmp_path):
    ring_ = open_ring(str(tmp_path), 16, FACTS, 8)
    span = layout.SPAN.pack(layout.DETAIL_SPAN, *range(2, len(layout.SPAN_FIELDS) + 1))
    cost = layout.FUNCTION_COST.pack(
        layout.DETAIL_FUNCTION_COST, *range(2, len(layout.FUNCTION_COST_FIELDS) + 1)
    )
    ring_.write(body(1))
    for _ in range(5):
        ring_.write_detail(span)
        ring_.write_detail(cost)
    read = read_ring(ring_.path)
    assert (read.counters["written"], read.counters["details_written"]) == (1, 10)
    assert [detail["seq"] for detail in read.spans] == [3, 5, 7, 9]
    assert [detail["seq"] for detail in read.function_costs] == [4, 6, 8, 10]
    assert list(read.spans[0].values())[2:] == list(range(2, len(layout.SPAN_FIELDS) + 1))
    assert len(read.records) == 1 and read.torn == 0
    with open(ring_.path, "r+b") as file:
        file.seek(read.header["details_offset"] + 3 * layout.DETAIL_BYTES + 40)
        file.write(b"?")
    assert (len(read_ring(ring_.path).spans), read_ring(ring_.path).torn) == (3, 1)
    ring_.close()


def test_the_file_is_private_and_has_all_its_memory(opened):
    status = os.stat(opened.path)
    assert status.st_mode & 0o777 == 0o600
    assert status.st_blocks * 512 >= status.st_size


def test_the_folder_is_made_private(tmp_path):
    open_ring(str(tmp_path / "new"), 16, FACTS).close()
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o700


def test_a_full_ring_goes_round(opened):
    for number in range(1, 41):
        opened.write(body(number))
    read = read_ring(opened.path)
    assert [record["seq"] for record in read.records] == list(range(25, 41))
    assert read.counters["written"] == 40


def test_a_torn_record_shows(opened):
    for number in range(1, 4):
        opened.write(body(number))
    read = read_ring(opened.path)
    at = read.header["records_offset"] + 2 * layout.RECORD_BYTES + 100
    with open(opened.path, "r+b") as file:
        file.seek(at)
        file.write(b"\xff" * 8)
    torn = read_ring(opened.path)
    assert torn.torn == 1
    assert [record["seq"] for record in torn.records] == [1, 3]


def test_threads_write_all_their_records_each_once(tmp_path):
    opened = open_ring(str(tmp_path), 1 << 14, FACTS)
    each, count = 100, 32
    threads = [
        threading.Thread(target=lambda: [opened.write(body(n)) for n in range(each)])
        for _ in range(count)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    read = read_ring(opened.path)
    opened.close()
    assert [record["seq"] for record in read.records] == list(range(1, each * count + 1))
    assert read.counters["written"] == each * count
    assert read.torn == 0


def test_strings_are_stored_once_and_whole(opened):
    texts = ["ä" * n for n in range(1, 50)]
    ids = [opened.string_id(text) for text in texts]
    assert [opened.string_id(text) for text in texts] == ids
    read = read_ring(opened.path)
    assert [read.text(string_id) for string_id in ids] == texts


def test_threads_intern_without_mixing_texts(opened):
    found = {}

    def intern(seed):
        for number in random.Random(seed).sample(range(200), 200):
            found[number, seed] = opened.string_id(f"text {number}")

    threads = [threading.Thread(target=intern, args=(seed,)) for seed in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    read = read_ring(opened.path)
    assert {read.text(string_id) == f"text {key[0]}" for key, string_id in found.items()} == {True}


def test_a_long_text_is_cut_at_a_character_or_line(opened):
    read_back = []
    for text in ("ä" * 5000, "\n".join(["/some/folder"] * 1000), "\ud800" + "x"):
        string_id = opened.string_id(text)
        read_back.append(read_ring(opened.path).text(string_id))
    assert read_back[0] == "ä" * (layout.STRING_BYTES_MAX // 2)
    assert set(read_back[1].split("\n")) == {"/some/folder"}
    assert read_back[2] == "?x"


def test_statements_leave_room_for_endpoints(opened):
    while opened.string_id(os.urandom(2000).hex(), bulky=True):
        pass
    assert read_ring(opened.path).counters["strings_full"] == 1
    assert opened.string_id("GET /late/") > 0
    while opened.string_id(os.urandom(2000).hex()):
        pass
    read = read_ring(opened.path)
    assert read.counters["strings_full"] == 2
    assert read.counters["strings_used"] <= ring.STRINGS_BYTES


def test_endpoints_are_bounded(opened):
    kept = [opened.endpoint_id(f"GET /{number}") for number in range(ring.ENDPOINTS_MAX)]
    assert kept[-1][0] == f"GET /{ring.ENDPOINTS_MAX - 1}"
    others = [opened.endpoint_id(f"GET /over/{number}") for number in range(3)]
    assert {name for name, _ in others} == {"(other)"}
    assert len({string_id for _, string_id in others}) == 1
    assert opened.endpoint_id("GET /7") == kept[7]
    assert read_ring(opened.path).counters["endpoints_over"] == 3


def test_slots_are_claimed_and_handed_back(opened):
    claimed = [opened.claim_slot() for _ in range(ring.SLOT_COUNT)]
    assert sorted(claimed) == list(range(ring.SLOT_COUNT))
    assert opened.claim_slot() == ring.NO_SLOT
    opened.release_slot(ring.NO_SLOT)
    opened.begin(claimed[5], layout.SLOT.pack(1, 2, 3, 4, 5, 0, 7, 8))
    assert [slot["endpoint_id"] for slot in read_ring(opened.path).in_flight] == [5]
    opened.release_slot(claimed[5])
    assert opened.claim_slot() == claimed[5]
    read = read_ring(opened.path)
    assert read.in_flight == []
    assert read.counters["slots_full"] == 1


def test_a_child_writes_nothing_into_its_parents_ring(opened):
    child = os.fork()
    if child == 0:
        opened.string_id("of the child")
        opened.count("probe_errors")
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    read = read_ring(opened.path)
    assert "of the child" not in read.texts.values()
    assert read.counters["probe_errors"] == 0


def test_without_memory_there_is_no_ring_and_no_file(tmp_path):
    with pytest.raises(OSError):
        open_ring(str(tmp_path), 1 << 44, FACTS)
    assert list(tmp_path.iterdir()) == []


def test_a_string_that_nobody_may_add_now_is_lost_and_counted(opened):
    class Interrupted(str):  # as by a signal handler or a finaliser, in the same thread
        def encode(self, *arguments):
            ids.append(opened.string_id("in the middle"))
            return super().encode(*arguments)

    ids = []
    ids.append(opened.string_id(Interrupted("outer")))
    read = read_ring(opened.path)
    assert ids[0] == 0
    assert read.text(ids[1]) == "outer"
    assert read.counters["strings_full"] == 1
    assert opened.string_id("afterwards") > ids[1]


def test_after_a_wait_in_vain_nobody_waits_until_the_lock_was_had(opened, monkeypatch):
    monkeypatch.setattr(ring, "STRING_WAIT_S", 60)
    opened._string_wait_s = 0.01
    with opened._string_lock:
        assert [opened.string_id(f"s{n}") for n in range(100)] == [0] * 100
        assert opened._string_wait_s == 0
    assert opened.string_id("afterwards") > 0
    assert opened._string_wait_s == 60


def test_a_ring_is_its_users_alone_unless_the_folder_hands_on_its_group(tmp_path):
    for mode, expected in ((0o770, 0o600), (0o2770, 0o660)):
        folder = tmp_path / oct(mode)
        folder.mkdir()
        folder.chmod(mode)
        made = open_ring(str(folder), 64, FACTS)
        try:
            assert os.stat(made.path).st_mode & 0o777 == expected
        finally:
            made.close()
