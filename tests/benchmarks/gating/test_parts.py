"""A benchmark that goes on where it was stopped."""

import time
from pathlib import Path

import pytest

from benchmarks.gating.parts import Parts

LATER_S = time.monotonic() + 3_600


def parts(kept: Path | None, until_s: float = LATER_S) -> Parts:
    return Parts(kept, until_s, lambda words: None)


def test_what_is_done_is_not_done_again(tmp_path: Path) -> None:
    kept = tmp_path / "kept.jsonl"
    parts(kept).take("demo neutral", lambda: [100, 0])
    later = parts(kept)
    later.take("demo neutral", lambda: pytest.fail("it is there"))
    later.take("flask neutral", lambda: [50, 1])
    later.take("flask planted shop:item", lambda: [{"size": 0.1}])
    assert later.done("neutral") == [[100, 0], [50, 1]]
    assert later.done("planted") == [[{"size": 0.1}]]
    assert later.missing == []


def test_nothing_is_begun_when_the_time_is_over(tmp_path: Path) -> None:
    over = parts(tmp_path / "kept.jsonl", until_s=time.monotonic() - 1)
    over.take("demo same", lambda: pytest.fail("too late"))
    assert over.missing == ["demo same"]


def test_a_part_that_fails_is_not_kept(tmp_path: Path) -> None:
    kept = tmp_path / "kept.jsonl"
    with pytest.raises(ZeroDivisionError):
        parts(kept).take("demo same", lambda: [1 // 0])
    assert not kept.exists()
