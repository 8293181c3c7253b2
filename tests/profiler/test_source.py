from dataclasses import replace
from math import nan

from profiler.source import LineWeight, MeasuredSide, SourceSide, hot_lines, source_view
from profiler.source_text import Touch

BEFORE = "def f():\n    a()\n    b()\n"
AFTER = "# moved\n\ndef f():\n    a()\n    new()\n    b()\n"
TOUCH = Touch("c" * 40, "Ada", 1, "Add new")


def weights(**samples):
    return {int(line[1:]): LineWeight(n, n // 2, n / 100) for line, n in samples.items()}


def measured(label, text, lines, cost_per_weight_ns=1e6):
    samples = sum(one.samples for one in lines.values())
    side = SourceSide(f"release:{label}", label, "m.py", "c" * 40, samples, 500, 1e6, "")
    return MeasuredSide(side, lines, text, cost_per_weight_ns)


def nobody(side, first, last):
    return {}


def view(a, b=None, blame=nobody):
    return source_view("shop", "GET /", "m:f", a, b, blame)


def test_both_sides_lie_beside_each_other_though_lines_moved():
    found = view(
        measured("r1", BEFORE, weights(l2=10, l3=30)),
        measured("r2", AFTER, weights(l4=20, l5=60, l6=40), cost_per_weight_ns=2e6),
    )
    assert [
        (one.line_a, one.line_b, one.text.strip(), one.samples_a, one.samples_b)
        for one in found.lines
    ] == [
        (1, 3, "def f():", 0, 0),
        (2, 4, "a()", 10, 20),
        (0, 5, "new()", 0, 60),
        (3, 6, "b()", 30, 40),
    ]
    b = found.lines[3]
    assert (b.self_samples_a, b.self_samples_b) == (15, 20)
    assert (b.cost_ns_a, b.cost_ns_b) == (0.3e6, 0.8e6)
    assert found.notes == ()


def test_one_side_alone_has_its_own_numbers_only():
    found = view(measured("r1", BEFORE, weights(l2=10)))
    assert found.b is None
    assert [(one.line_a, one.line_b, one.samples_b) for one in found.lines] == [
        (1, 0, 0), (2, 0, 0), (3, 0, 0),
    ]  # fmt: skip


def test_hot_lines_say_who_touched_them_on_the_newest_side_that_has_them():
    asked = []

    def blame(side, first, last):
        asked.append((side.release, first, last))
        return {line: replace(TOUCH, summary=f"{side.release} {line}") for line in range(9)}

    found = view(
        measured("r1", "def f():\n    a()\n    gone()\n", weights(l2=3, l3=97)),
        measured("r2", BEFORE, weights(l2=1, l3=99)),
        blame,
    )
    assert asked == [("r1", 1, 3), ("r2", 1, 3)]
    said = {one.text.strip(): one.touched and one.touched.summary for one in found.lines}
    assert said == {"def f():": None, "a()": None, "gone()": "r1 3", "b()": "r2 3"}


def test_no_line_is_hot_without_samples_and_few_are_with_many():
    assert hot_lines({}) == []
    assert hot_lines(weights(l1=4, l2=96)) == [2]
    assert len(hot_lines({line: LineWeight(1, 0, 1.0) for line in range(20)})) == 20
    assert hot_lines({line: LineWeight(1, 0, 1.0) for line in range(21)}) == []


def test_a_text_that_did_not_run_is_told_and_its_samples_are_shown():
    found = view(measured("r1", BEFORE, weights(l2=10, l99=5)))
    assert "5 of 15 samples of r1 are on lines outside the function" in found.notes[0]
    assert (found.lines[-1].line_a, found.lines[-1].text, found.lines[-1].samples_a) == (99, "", 5)


def test_a_text_without_the_function_is_told():
    found = view(measured("r1", "x = 1\n", weights(l2=10)), measured("r2", BEFORE, weights(l2=4)))
    assert found.notes == ("m.py of r1 does not have this function",)
    assert [(one.line_a, one.line_b) for one in found.lines] == [(2, 0), (0, 1), (0, 2), (0, 3)]


def test_without_text_lines_of_the_sides_are_not_taken_for_the_same():
    found = view(measured("r1", "", weights(l2=10)), measured("r2", "", weights(l2=4)))
    assert [(one.line_a, one.line_b) for one in found.lines] == [(2, 0), (0, 2)]


def test_costs_without_requests_are_unknown():
    found = view(measured("r1", BEFORE, weights(l2=10), cost_per_weight_ns=nan))
    assert found.lines[1].cost_ns_a != found.lines[1].cost_ns_a


def test_of_a_long_function_only_what_is_near_samples_and_changes_is_shown():
    long = "def f():\n" + "".join(f"    a{n}()\n" for n in range(400))
    changed = long.replace("    a300()\n", "    other()\n")
    found = view(measured("r1", long, weights(l50=9)), measured("r2", changed, weights(l50=9)))
    numbers = [one.line_b or one.line_a for one in found.lines]
    assert numbers == [*range(47, 54), *range(299, 303), 302, *range(303, 306)]
