from dataclasses import replace

from dashboards.blocks.source_table import source_facts, source_notes, source_table
from profiler.source import SourceLine, SourceSide, SourceView
from profiler.source_text import Touch
from tests.dashboards.reading import plain, text, texts
from tests.dashboards.records import EVIL

R1 = SourceSide("release:r1", "r1", "shop/feed.py", "", 300, 1_000, 2.5e6, "")
R2 = replace(R1, label="release:r2", release="r2", samples=600, cost_ns=5e6)
TOUCH = Touch("c0ffee" + "0" * 34, f"Ada {EVIL}", 1_767_355_200_000, f"Loop twice {EVIL}")
SAME = SourceLine(3, 5, "    total += 1", 300, 310, 300, 310, 2.5e6, 2.6e6)
NEW = SourceLine(0, 6, f"    evil({EVIL!r})", 0, 290, 0, 100, 0.0, 2.4e6, TOUCH)
GONE = SourceLine(4, 0, "    old()", 0, 0, 0, 0, 0.0, 0.0)
VIEW = SourceView("shop", "GET /", "shop.feed:rank", R1, R2, (SAME, GONE, NEW))


def cells(view):
    table = plain(source_table(view))["props"]["children"]["props"]["children"]
    rows = table[1]["props"]["children"]
    listed = [row["props"]["children"] for row in rows]
    return [[text(one) for one in (row if isinstance(row, list) else [row])] for row in listed]


def test_a_line_has_its_numbers_on_both_sides():
    same, gone, new = cells(VIEW)
    assert same == ["3", "5", "300", "310", "2.5 ms", "2.6 ms", "", "  total += 1", ""]
    assert gone[:7] == ["4", "", "", "", "", "", ""]
    assert gone[7] == "− old()"
    assert new[:7] == ["", "6", "", "290", "", "2.4 ms", ""]
    assert new[7].startswith("+ evil(")


def test_a_hot_line_says_who_touched_it_last_as_text():
    shown = cells(VIEW)[2][8]
    assert shown.startswith("c0ffee0000 Loop twice <script>")
    assert shown.endswith("2026-01-02")


def test_only_the_indent_that_all_lines_share_goes():
    deep = replace(SAME, text="        deeper()")
    blank = replace(SAME, text="")
    shown = [row[7] for row in cells(replace(VIEW, lines=(SAME, blank, deep)))]
    assert shown == ["  total += 1", "  ", "      deeper()"]


def test_one_side_has_one_set_of_columns_and_no_marks():
    alone = replace(VIEW, b=None, lines=(SAME,))
    assert cells(alone) == [["3", "300", "2.5 ms", "", "  total += 1"]]


def test_lines_that_are_left_out_show_as_a_gap():
    far = replace(SAME, line_a=90, line_b=92)
    assert [row[0] for row in cells(replace(VIEW, lines=(SAME, far)))] == ["3", "⋯", "90"]


def test_facts_and_notes():
    shown = texts(source_facts(VIEW))
    assert "2.5 ms → 5 ms" in shown and "300 → 600" in shown and "30% → 60%" in shown
    assert source_notes(VIEW) is None
    lost = replace(VIEW, a=replace(R1, reason="no such release"), notes=("it did not run",))
    assert texts(source_notes(lost)) == [
        "source of r1 is not at hand: no such release", "it did not run",
    ]  # fmt: skip
