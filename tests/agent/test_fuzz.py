"""A ring is a file that others write: whatever its bytes, the agent reads on in the others."""

import os
import random
import time
from pathlib import Path
from zlib import crc32

import pyarrow as pa
import pytest

from agent.run import Agent, Config
from agent.status import read_status
from dynoscope_probe import layout
from tests.agent.rings import begin, make_ring, write

RECORDS = 64


def agent_of(folder):
    """The whole way from the ring folder to the spool and status.json; nothing runs beside it."""
    return Agent(
        Config("http://127.0.0.1:1", folder / "rings", folder / "spool", None, "here", seed=1)
    )


def well(folder, ring):
    """Fill a ring with what a worker leaves in one."""
    _, full = ring.endpoint_id("GET /feed")
    write(ring, RECORDS // 2, error_id=full, flags_id=full, statement1_id=full, statement1_calls=3)
    begin(ring, "GET /slow", time.time_ns())
    return Path(ring.path)


def damaged(good: bytes, rng: random.Random) -> bytes:
    """The file with some bytes changed: a few anywhere, a whole stretch, or cut short."""
    raw = bytearray(good)
    kind = rng.randrange(6)
    if kind == 0:
        return bytes(raw[: rng.randrange(len(raw))])
    if kind == 1:
        start = rng.randrange(len(raw))
        length = min(rng.randrange(1, 4096), len(raw) - start)
        raw[start : start + length] = rng.randbytes(length)
        return bytes(raw)
    # Where a change matters most: header, counters, the first strings, slots; else anywhere.
    end = (128, 1200, 6000, len(raw))[kind - 2]
    for _ in range(rng.choice((1, 2, 8, 64))):
        raw[rng.randrange(min(end, len(raw)))] = rng.choice((0, 1, 0x7F, 0xFF, rng.randrange(256)))
    return bytes(raw)


def went_well(agent):
    """No ring has met a fault of ours, and the status can be read."""
    failed = {"agent.rings_failed", "agent.flushes_failed"} & agent.limits.totals().keys()
    return not failed and read_status(agent.config.spool)["last_error"] == ""


def spooled_seqs(flush, ring_id):
    """Sequence numbers of a ring in all spool files, which are settled."""
    seqs = []
    while (file := flush.spool.oldest()) is not None:
        for entry in file.entries:
            table = pa.ipc.open_stream(flush.spool.body(file, entry)).read_all()
            table.validate(full=True)
            if entry.table == "requests":
                seqs += [row["seq"] for row in table.to_pylist() if row["ring_id"] == ring_id]
        flush.spool.settled(file)
    return seqs


@pytest.mark.parametrize(
    "rounds", [120, pytest.param(5_000, marks=(pytest.mark.long, pytest.mark.timeout(1800)))]
)
def test_a_ring_with_any_bytes_changed_costs_the_others_nothing(tmp_path, rounds, capsys):
    rng = random.Random(rounds)
    (tmp_path / "rings").mkdir()
    bad = make_ring(tmp_path / "rings", records=RECORDS)
    path = well(tmp_path, bad)
    good_bytes = path.read_bytes()
    other = make_ring(tmp_path / "rings", records=RECORDS)
    agent = agent_of(tmp_path)
    sent = []
    for at in range(rounds):
        if at % 50 == 0:  # as after a start
            agent.spool.close()
            agent = agent_of(tmp_path)
        path.write_bytes(damaged(good_bytes, rng))
        write(other, 1)
        agent._flush()
        sent += spooled_seqs(agent.flush, other.ring_id)
    assert sent == list(range(1, rounds + 1)), "each record of the other ring once, in order"
    assert went_well(agent), capsys.readouterr().err
    assert os.path.exists(other.path)
    agent.spool.close()


def with_right_checksum(good: bytes, rng: random.Random) -> bytes:
    """A header with fields of any value, as a hostile writer would make it."""
    fields = list(layout.HEADER.unpack_from(good))
    for _ in range(rng.choice((1, 1, 2, 5))):
        at = rng.randrange(4, len(fields))  # past magic, version, header_bytes, ring_id
        value = rng.choice((0, 1, 255, 4096, 65_535, 2**31, 2**32 - 1, rng.randrange(2**32)))
        fields[at] = min(value, 255) if layout.HEADER_FIELDS[at] == "unit" else value
    header = layout.HEADER.pack(*fields)
    return header + crc32(header).to_bytes(4, "little") + good[len(header) + 4 :]


@pytest.mark.parametrize(
    "rounds", [100, pytest.param(3_000, marks=(pytest.mark.long, pytest.mark.timeout(1800)))]
)
def test_a_header_that_lies_with_a_right_checksum_costs_the_others_nothing(
    tmp_path, rounds, capsys
):
    rng = random.Random(rounds)
    (tmp_path / "rings").mkdir()
    template = make_ring(tmp_path / "rings", records=RECORDS)
    path = well(tmp_path, template)
    good_bytes = path.read_bytes()
    other = make_ring(tmp_path / "rings", records=RECORDS)
    agent = agent_of(tmp_path)
    sent = []
    for _ in range(rounds):
        path.unlink(missing_ok=True)
        agent.flush.workers.look(time.time_ns())  # it is gone: the next one is new
        path.write_bytes(with_right_checksum(good_bytes, rng))
        write(other, 1)
        agent._flush()
        sent += spooled_seqs(agent.flush, other.ring_id)
    assert sent == list(range(1, rounds + 1))
    assert went_well(agent), capsys.readouterr().err
    agent.spool.close()
