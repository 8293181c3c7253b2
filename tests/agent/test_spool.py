import os

import pytest

from agent.errors import AgentError, SpoolFailed
from agent.limits import Limits
from agent.spool import Cursor, Section, Spool

MB = b"x" * (1 << 20)


class Clock:
    ms = 1_000_000

    def __call__(self) -> int:
        return self.ms


@pytest.fixture
def opened(tmp_path):
    spools = []

    def open_spool(**settings):
        for spool in spools:
            spool.close()
        spools.append(Spool(tmp_path / "spool", Limits(), **settings))
        return spools[-1]

    yield open_spool
    spools[-1].close()


def test_a_cursor_of_an_earlier_version_has_read_no_details(opened):
    spool = opened()
    spool.commit([], {7: Cursor(9, {})})
    (file,) = spool.folder.glob("*.spool")
    file.write_bytes(file.read_bytes().replace(b', "details": 0', b" " * 14))
    assert spool.cursors() == {7: Cursor(9, {})}


def section(body=b"rows", rows=3, table="requests"):
    return Section(table, rows, body)


def test_rows_and_cursors_survive_together(opened):
    spool = opened()
    assert spool.cursors() == {} and spool.oldest() is None
    spool.commit(
        [section(b"one"), section(b"two", table="limits")], {2**64 - 1: Cursor(5, {"a": 1}, 3)}
    )
    assert spool.cursors() == {2**64 - 1: Cursor(5, {"a": 1}, 3)}
    spool.commit([section(b"three")], {7: Cursor(9, {})})
    spool = opened()
    assert spool.cursors() == {7: Cursor(9, {})}
    file = spool.oldest()
    assert [spool.body(file, one) for one in file.entries] == [b"one", b"two"]
    assert [(one.table, one.rows) for one in file.entries] == [("requests", 3), ("limits", 3)]
    assert len({one.batch_id for one in file.entries}) == 2
    assert file.before_start


def test_the_newest_file_keeps_the_cursors_when_all_is_sent(opened):
    spool = opened()
    spool.commit([section()], {1: Cursor(1, {})})
    spool.commit([section()], {1: Cursor(2, {})})
    for _ in range(2):
        spool.settled(spool.oldest())
    assert spool.oldest() is None and spool.size() == (0, 0, 0)
    assert spool.waiting() == 0
    assert len(list(spool.folder.glob("*.sent"))) == 1
    spool = opened()
    assert spool.cursors() == {1: Cursor(2, {})}
    spool.commit([section()], {1: Cursor(3, {})})
    assert not list(spool.folder.glob("*.sent"))
    assert not spool.oldest().before_start


def test_a_file_that_was_not_committed_is_no_file(opened):
    spool = opened()
    spool.commit([section()], {1: Cursor(1, {})})
    (spool.folder / "000000000002-5.part").write_bytes(b"half")
    spool = opened()
    assert spool.cursors() == {1: Cursor(1, {})}
    assert not list(spool.folder.glob("*.part"))


def test_too_many_bytes_push_the_oldest_out_and_are_counted(opened):
    limits = Limits()
    spool = opened(bytes_max=3 << 20)
    spool._limits = limits
    for number in range(5):
        spool.commit([section(MB, rows=10)], {1: Cursor(number, {})})
    assert spool.size()[1] <= 3 << 20
    assert limits.totals() == {
        "agent.spool_files_dropped": 3,
        "agent.spool_rows_dropped_requests": 30,
    }
    assert spool.cursors() == {1: Cursor(4, {})}


def test_what_is_older_than_a_day_goes(opened):
    clock = Clock()
    spool = opened(wall_ms=clock, age_s_max=86_400)
    spool.commit([section()], {})
    clock.ms += 86_401_000
    spool.commit([section()], {})
    assert spool.size() == (1, spool.size()[1], 0)
    assert spool.waiting() == 1


def test_an_unreadable_file_is_set_aside_and_counted(opened):
    spool = opened()
    spool.commit([section()], {1: Cursor(1, {})})
    spool.commit([section(b"good")], {1: Cursor(2, {})})
    first = spool.oldest().path
    first.write_bytes(b"\xff\xff\xff\xff garbage")
    file = spool.oldest()
    assert spool.body(file, file.entries[0]) == b"good"
    assert first.with_suffix(".bad").exists()


def test_a_rejected_batch_is_kept_with_its_reason(opened):
    spool = opened()
    spool.commit([section(b"bad rows")], {})
    entry = spool.oldest().entries[0]
    spool.reject(entry, b"bad rows", "400: no column endpoint")
    kept = {path.suffix: path.read_text() for path in spool.rejected.iterdir()}
    assert kept == {".arrow": "bad rows", ".txt": "400: no column endpoint\n"}


def test_a_full_disk_commits_nothing(opened, tmp_path):
    # A folder that vanished is what a test can have for real as root.
    spool = opened()
    spool.commit([section()], {1: Cursor(1, {})})
    spool.folder.rename(tmp_path / "moved")
    with pytest.raises(SpoolFailed, match="spool"):
        spool.commit([section()], {1: Cursor(2, {})})
    (tmp_path / "moved").rename(spool.folder)
    assert spool.cursors() == {1: Cursor(1, {})}
    spool.commit([section()], {1: Cursor(2, {})})
    assert spool.cursors() == {1: Cursor(2, {})}


def test_two_agents_cannot_share_a_folder(opened):
    spool = opened()
    with pytest.raises(AgentError, match="in use by another agent"):
        Spool(spool.folder, Limits())


def test_a_folder_that_cannot_be_made_is_one_clear_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(AgentError, match="spool folder"):
        Spool(tmp_path / "file" / "spool", Limits())


def test_files_are_private(opened):
    spool = opened()
    spool.commit([section()], {})
    assert os.stat(spool.oldest().path).st_mode & 0o077 == 0
    assert os.stat(spool.rejected).st_mode & 0o077 == 0
