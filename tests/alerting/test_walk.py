"""The past of a rule: what fires, pages, eases and ends, at which steps."""

from collections.abc import Mapping

from alerting.alerts import Check, Finding
from alerting.walk import WouldFire, would_fire


def finding(now_ms: int, severity: str = "page", host: str = "a", **labels: str) -> Finding:
    return Finding("r", (host,), severity, {"service": "s", "host": host, **labels}, "", now_ms)


def test_each_start_and_end_is_told() -> None:
    def look(now_ms: int, firing: Mapping[str, str]) -> Check:
        broken = now_ms in (2, 3, 4, 8)
        return Check("r", (finding(now_ms),) if broken else (), keep_firing_s=0.002)

    assert would_fire(look, range(10)) == [
        WouldFire("r", "s", "page", 0.0, 2, 6, (2,), "host a"),
        WouldFire("r", "s", "page", 0.0, 8, 0, (8,), "host a"),
    ]


def test_a_ticket_that_becomes_grave_pages_once_and_what_is_learnt_pages_nobody() -> None:
    said = {1: finding(1, "ticket"), 2: finding(2), 3: finding(3, function="f"), 4: finding(4)}

    def look(now_ms: int, firing: Mapping[str, str]) -> Check:
        return Check("r", (said[now_ms],), keep_firing_s=60)

    (one,) = would_fire(look, said)
    assert (one.severity, one.started_ms, one.paged_ms) == ("page", 1, (2,))


def test_what_is_unknown_goes_on() -> None:
    def look(now_ms: int, firing: Mapping[str, str]) -> Check:
        if now_ms == 1:
            return Check("r", (finding(now_ms, "ticket"), finding(now_ms, "ticket", "b")))
        return Check("r", unknown=frozenset(firing) - {finding(0, host="b").id})

    found = would_fire(look, range(1, 4))
    assert [(one.what, one.ended_ms, one.paged_ms) for one in found] == [
        ("host a", 0, ()),
        ("host b", 2, ()),
    ]
