from collector.answers.health import EvaluatorHealth
from dashboards.blocks.evaluator_note import evaluator_note
from tests.dashboards.reading import text
from tests.dashboards.records import NOW_MS

WELL = EvaluatorHealth("web:8600", NOW_MS - 5_000, False, 12, 0, ())


def test_one_that_is_well_takes_one_line():
    assert text(evaluator_note([WELL], NOW_MS)) == "web:8600: 12 rules, as of just now"


def test_what_fails_is_told():
    ill = EvaluatorHealth("web:8600", NOW_MS, False, 12, 3, ("rule feed: the store is on fire",))
    shown = text(evaluator_note([ill], NOW_MS))
    assert "3 notifications are not delivered" in shown and "on fire" in shown


def test_silence_is_told():
    late = EvaluatorHealth("web:8600", NOW_MS - 600_000, True, 12, 0, ())
    assert "it has not spoken since" in text(evaluator_note([late], NOW_MS))
    assert "No evaluator of rules has spoken" in text(evaluator_note([], NOW_MS))
