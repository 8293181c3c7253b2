"""What is to be sent to whom, read from the events of alerts; `due_for` is pure."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from alerting.alerts import from_json
from alerting.later import Later
from alerting.receivers import Payload, Receiver
from alerting.silences import Silence, active_silences, silence_of
from collector.store.alert_reads import AlertEvent, alert_events, open_alerts
from collector.store.store import Store

__all__ = ["Due", "DueNow", "Notification", "Outbox", "due_for", "read_outbox"]

EVENTS_MAX = 20_000
#: What another evaluator wrote may be of a little later by this one's clock.
CLOCKS_DIFFER_MS = 60_000
CHANGES = ("firing", "resolved")


@dataclass(frozen=True, slots=True)
class Notification:
    """One change of state of one alert. `by`: the evaluator that wrote it first."""

    payload: Payload
    ts_ms: int
    by: str

    @property
    def id(self) -> str:
        return str(self.payload["notification_id"])

    @property
    def episode(self) -> tuple[str, int]:
        """The alert and its start of firing: what a resolve belongs to."""
        return str(self.payload["id"]), int(self.payload["started_ms"])


@dataclass(frozen=True, slots=True)
class Outbox:
    """`changes`: oldest first. `open`: ids of the newest notification of each alert that fires.
    `done_ms`: (notification id, target) -> when it was delivered or refused for good. `held`: ids
    of notifications that a silence held back."""

    changes: tuple[Notification, ...]
    open: frozenset[str]
    done_ms: Mapping[tuple[str, str], int]
    acknowledged: frozenset[tuple[str, int]]
    held: frozenset[str]
    silences: tuple[Silence, ...]
    newly_silenced: tuple[tuple[Payload, Silence], ...]


@dataclass(frozen=True, slots=True)
class Due:
    """One notification to send. `is_news`: it is no repeat."""

    payload: Payload
    is_news: bool
    due_ms: int


@dataclass(frozen=True, slots=True)
class DueNow:
    """What to send now, and what another evaluator is given time for."""

    now: tuple[Due, ...]
    later: tuple[Due, ...]


def read_outbox(store: Store, from_ms: int, now_ms: int) -> Outbox:
    """The events since `from_ms`, and every alert that fires, however old."""
    firing = Later(lambda: open_alerts(store))
    silences = Later(lambda: active_silences(store, now_ms))
    asked = Later(lambda: _events(store, from_ms, now_ms))
    for one in (firing, silences, asked):
        one.wait()  # whatever fails: no question is left behind
    read = [(event, _payload(event.json)) for event in reversed(asked.value())]
    known = [(event, payload) for event, payload in read if payload]
    changes = _changes([(event, p) for event, p in known if event.state in CHANGES])
    still = [payload for text in firing.value() if (payload := _payload(text))]
    newest = {str(one.payload["id"]): one for one in changes if one.payload["state"] == "firing"}
    older = [
        Notification(payload, from_ms - 1, "")
        for payload in still
        if str(payload["id"]) not in newest
    ]
    held = {str(p["notification_id"]) for event, p in known if event.state == "silenced"}
    known_open = [newest[str(p["id"])] for p in still if str(p["id"]) in newest]
    open_ids = frozenset(one.id for one in (*older, *known_open))
    newly = tuple(
        (one.payload, silence)
        for one in changes
        if one.id in open_ids and one.id not in held
        if (silence := silence_of(one.payload["labels"], silences.value()))
    )
    return Outbox(
        changes=(*older, *changes),
        open=open_ids,
        done_ms={
            (str(p["notification_id"]), str(p.get("delivery", {}).get("target"))): event.ts_ms
            for event, p in known
            if event.state in ("delivered", "refused")
        },
        acknowledged=frozenset(
            (str(p["id"]), int(p["started_ms"])) for e, p in known if e.state == "acknowledged"
        ),
        held=frozenset(held | {str(p["notification_id"]) for p, _ in newly}),
        silences=silences.value(),
        newly_silenced=newly,
    )


def _events(store: Store, from_ms: int, now_ms: int) -> list[AlertEvent]:
    return alert_events(
        store,
        from_ms=from_ms,
        to_ms=now_ms + CLOCKS_DIFFER_MS,
        states=[*CHANGES, "delivered", "refused", "acknowledged", "silenced"],
        limit=EVENTS_MAX,
    )


def due_for(
    outbox: Outbox,
    receiver: Receiver,
    *,
    told_ms: Mapping[str, int],
    now_ms: int,
    instance: str,
    grace_s: float,
) -> DueNow:
    """`told_ms`: when a receiver that keeps state was told of a notification last."""
    now: list[Due] = []
    later: list[Due] = []
    told = {
        one.episode for one in outbox.changes
        if one.payload["state"] == "firing" and (one.id, receiver.target) in outbox.done_ms
    }  # fmt: skip
    for one in outbox.changes:
        done_ms = outbox.done_ms.get((one.id, receiver.target))
        if one.payload["state"] == "resolved":
            wanted = done_ms is None and not _was_held(outbox, one, told)
            repeat = False
        else:
            wanted, repeat = _fires(outbox, one, receiver, done_ms, told_ms.get(one.id), now_ms)
        if not wanted:
            continue
        due_ms = one.ts_ms
        if one.by not in (instance, ""):
            due_ms += round(grace_s * 1000)
        due = Due({**one.payload, "repeat": True} if repeat else one.payload, not repeat, due_ms)
        (now if due_ms <= now_ms else later).append(due)
    return DueNow(tuple(now), tuple(later))


def _fires(
    outbox: Outbox,
    one: Notification,
    receiver: Receiver,
    done_ms: int | None,
    told_ms: int | None,
    now_ms: int,
) -> tuple[bool, bool]:
    """Whether a firing notification is to be sent now, and whether that is a repeat."""
    if one.payload.get("details", {}).get("eased") and not receiver.keeps_state:
        return False, False
    is_open = one.id in outbox.open
    if one.id in outbox.held and (
        not is_open or silence_of(one.payload["labels"], outbox.silences)
    ):
        return False, False
    if done_ms is None and not one.by:
        done_ms = one.ts_ms  # older than what is looked through: only repeats speak of it
    if done_ms is None:
        return True, False
    if not is_open or not receiver.repeat_s:
        return False, False
    if receiver.keeps_state:
        last_ms = told_ms if told_ms is not None else 0
    else:
        last_ms = done_ms
        if one.episode in outbox.acknowledged:
            return False, False
    return now_ms - last_ms >= receiver.repeat_s * 1000, True


def _was_held(outbox: Outbox, one: Notification, told: set[tuple[str, int]]) -> bool:
    """Whether a silence held back the firing, so that nobody waits for the end of it."""
    firing = [
        other for other in outbox.changes
        if other.episode == one.episode and other.payload["state"] == "firing"
    ]  # fmt: skip
    return bool(firing) and one.episode not in told and all(f.id in outbox.held for f in firing)


def _changes(read: Sequence[tuple[AlertEvent, dict[str, Any]]]) -> list[Notification]:
    """Each notification once, as the first evaluator wrote it. Where two began the same episode
    at once, with different starts, the earlier one counts."""
    found: dict[str, Notification] = {}
    running: dict[str, Notification] = {}
    for event, payload in sorted(read, key=lambda one: (one[0].ts_ms, one[0].by)):
        one = Notification(payload, event.ts_ms, event.by)
        before = running.get(event.id)
        if event.state == "resolved":
            running.pop(event.id, None)
        elif before is not None and before.by != one.by and before.episode != one.episode:
            continue
        else:
            running[event.id] = one
        found.setdefault(one.id, one)
    return list(found.values())


def _payload(text: str) -> dict[str, Any]:
    """What was written as an alert; empty where it is none (the evaluator counts those)."""
    try:
        alert = from_json(text)
    except ValueError:
        return {}
    return {**json.loads(text), "notification_id": alert.notification_id}
