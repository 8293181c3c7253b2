"""The rule of new errors: a fingerprint that a service never had, or far more of one than ever."""

from urllib.parse import urlencode

from alerting.alerts import Check, Finding, rfc3339
from alerting.rules import NewErrorRule
from collector.store.error_reads import ErrorCount, ErrorGroup, error_counts, error_groups
from collector.store.store import Store

__all__ = ["check_new_errors", "why_told"]

#: A jump takes more events than this, however rare the error was.
JUMP_EVENTS_MIN = 20


def check_new_errors(
    store: Store,
    rule: NewErrorRule,
    to_ms: int,
    known_since: dict[str, int],
    base_url: str,
) -> Check:
    """`known_since`: when each service sent its first request, UTC ms: in its first `learn_s`
    nothing is new."""
    length_ms = round(rule.over_s * 1000)
    counts = error_counts(store, to_ms=to_ms, length_ms=length_ms, service=rule.service)
    broken = [
        (one, why)
        for one in counts
        if (why := why_told(rule, one, known_since.get(one.service, to_ms), to_ms, length_ms))
    ]
    findings = []
    for one, why in broken:
        group = _group(store, one, to_ms, length_ms)
        findings.append(_finding(rule, one, group, why, to_ms, length_ms, base_url))
    return Check(rule.name, tuple(findings), frozenset(), "", rule.keep_firing_s)


def why_told(
    rule: NewErrorRule, one: ErrorCount, known_since_ms: int, to_ms: int, length_ms: int
) -> str:
    """`new`, `jump`, or empty."""
    learnt_ms = known_since_ms + round(rule.learn_s * 1000)
    if one.now < rule.events or to_ms < learnt_ms:
        return ""
    if one.first_ms >= max(learnt_ms, to_ms - length_ms):
        return "new"
    jumped = one.before and one.now >= max(rule.jump * one.before, JUMP_EVENTS_MIN)
    return "jump" if jumped else ""


def _group(store: Store, one: ErrorCount, to_ms: int, length_ms: int) -> ErrorGroup | None:
    groups = error_groups(
        store,
        from_ms=max(0, to_ms - length_ms),
        to_ms=to_ms,
        service=one.service,
        error_fp=one.error_fp,
        limit=1,
    )
    return groups[0] if groups else None


def _finding(
    rule: NewErrorRule,
    one: ErrorCount,
    group: ErrorGroup | None,
    why: str,
    to_ms: int,
    length_ms: int,
    base_url: str,
) -> Finding:
    fingerprint = f"{one.error_fp:016x}"
    name = f"{group.type}: {group.message[:160]}" if group else fingerprint
    first = rfc3339(one.first_ms)
    text = (
        f"A new error in {one.service}: {name}. First seen at {first}, {one.now} times since"
        if why == "new"
        else f"An error of {one.service} is far more frequent than ever: {name}. {one.now} times "
        f"in the last {rule.over_s / 60:g} min, at most {one.before} in any such time before"
    )
    if group:
        frame = f", at {group.frames[0]}" if group.frames else ""
        text += f"{frame}, in {', '.join(group.endpoints[:3])}, release {', '.join(group.releases)}"
    query = urlencode(
        {"service": one.service, "from": rfc3339(to_ms - length_ms), "to": rfc3339(to_ms)}
    )
    labels = {"service": one.service, "error": fingerprint}
    if group and len(group.releases) == 1:
        labels["release"] = group.releases[0]
    links = {"errors": f"{base_url}/errors?{query}"}
    if group and group.trace_id.strip("0"):
        links["trace"] = f"{base_url}/v1/traces/{group.trace_id}"
    return Finding(
        rule=rule.name,
        key=(one.service, fingerprint),
        severity=rule.severity,
        labels=labels,
        summary=text + ".",
        started_ms=to_ms,
        details={
            "why": why,
            "events": one.now,
            "events_before": one.before,
            "first_ms": one.first_ms,
            "frames": list(group.frames) if group else [],
            "endpoints": list(group.endpoints) if group else [],
            "releases": list(group.releases) if group else [],
            "trace_id": group.trace_id if group else "",
        },
        links=links,
    )
