"""Fires once, grows graver, holds on, resolves."""

from dataclasses import replace

from alerting.alerts import Alert, Check, Finding, from_json, to_json
from alerting.lifecycle import LifeCycle

F = Finding("r", ("shop", "GET /"), "ticket", {"service": "shop"}, "It breaks.", 1_000)


def check(*findings: Finding, unknown: frozenset[str] = frozenset(), failed: str = "") -> Check:
    return Check("r", findings, unknown, failed, keep_firing_s=10)


def test_it_fires_once_and_resolves_after_it_was_false_for_long_enough() -> None:
    life = LifeCycle()
    (alert,) = life.step([], [check(F)], 1_000)
    assert (alert.state, alert.started_ms, alert.ended_ms) == ("firing", 1_000, 0)
    assert alert.labels == {"service": "shop", "rule": "r", "severity": "ticket"}
    assert life.step([alert], [check(F)], 5_000) == []
    assert life.step([alert], [check()], 14_999) == []
    (over,) = life.step([alert], [check()], 15_000)
    assert (over.id, over.state, over.ended_ms) == (alert.id, "resolved", 15_000)
    assert over.notification_id != alert.notification_id
    assert over.summary.startswith("Resolved after 0.2 min (over)")


def test_a_flicker_starts_the_wait_again() -> None:
    life = LifeCycle()
    (alert,) = life.step([], [check(F)], 1_000)
    life.step([alert], [check()], 9_000)
    life.step([alert], [check(F)], 10_000)
    assert life.step([alert], [check()], 19_000) == []
    assert len(life.step([alert], [check()], 20_000)) == 1


def test_what_is_unknown_or_failed_resolves_nothing() -> None:
    life = LifeCycle()
    (alert,) = life.step([], [check(F)], 0)
    assert life.step([alert], [check(unknown=frozenset({alert.id}))], 10**6) == []
    assert life.step([alert], [check(failed="no store")], 2 * 10**6) == []
    assert life.step([alert], [check()], 2 * 10**6 + 9_999) == []
    assert len(life.step([alert], [check()], 2 * 10**6 + 10_000)) == 1


def test_after_a_restart_it_neither_fires_again_nor_resolves_too_soon() -> None:
    (alert,) = LifeCycle().step([], [check(F)], 0)
    again = LifeCycle()
    assert again.step([alert], [check(F)], 60_000) == []
    again = LifeCycle()
    assert again.step([alert], [check()], 60_000) == []
    assert len(again.step([alert], [check()], 70_000)) == 1


def test_it_grows_graver_but_not_milder() -> None:
    life = LifeCycle()
    (alert,) = life.step([], [check(F)], 1_000)
    (graver,) = life.step([alert], [check(replace(F, severity="page", started_ms=9))], 2_000)
    assert (graver.id, graver.severity, graver.started_ms) == (alert.id, "page", 1_000)
    assert graver.notification_id != alert.notification_id
    assert life.step([graver], [check(F)], 3_000) == []


def test_it_is_sent_again_once_when_more_is_known() -> None:
    life = LifeCycle()
    (alert,) = life.step([], [check(F)], 1_000)
    named = replace(F, labels={**F.labels, "function": "feed:rank"}, summary="feed:rank did it.")
    (update,) = life.step([alert], [check(named)], 2_000)
    assert (update.id, update.state, update.started_ms) == (alert.id, "firing", 1_000)
    assert (update.labels["function"], update.summary) == ("feed:rank", "feed:rank did it.")
    assert life.step([update], [check(named)], 3_000) == []
    assert life.step([update], [check(F)], 4_000) == []


def test_an_alert_of_a_rule_that_is_gone_resolves_and_says_so() -> None:
    life = LifeCycle()
    (alert,) = life.step([], [check(F)], 1_000)
    (over,) = life.step([alert], [], 2_000)
    assert over.details["because"] == "the rule is no longer there"


def test_an_alert_survives_the_way_through_json_without_what_json_has_not() -> None:
    nan = float("nan")
    alert = Alert("i", "r", "firing", "page", {"a": "b"}, "s", 1, 0, {"x": [nan, 1.5]}, {"l": "u"})
    assert from_json(to_json(alert)) == replace(alert, details={"x": [None, 1.5]})


def test_a_page_that_eases_is_a_new_page_when_it_becomes_grave_again() -> None:
    """Nobody is told that it eased; the new page has an id of its own."""
    life = LifeCycle()
    page = replace(F, severity="page")
    (first,) = life.step([], [check(page)], 1_000)
    assert life.step([first], [check(F)], 10_999) == []
    (eased,) = life.step([first], [check(F)], 11_000)
    assert (eased.state, eased.severity, eased.details["eased"]) == ("firing", "ticket", True)
    assert life.step([eased], [check(F)], 30_000) == []
    (again,) = life.step([eased], [check(replace(page, started_ms=40_000))], 40_000)
    assert (again.id, again.severity, again.started_ms) == (first.id, "page", 40_000)
    assert "eased" not in again.details
    assert len({first.notification_id, eased.notification_id, again.notification_id}) == 3
    assert life.step([again], [check(F)], 49_999) == []
    assert [one.severity for one in life.step([again], [check(F)], 50_000)] == ["ticket"]
