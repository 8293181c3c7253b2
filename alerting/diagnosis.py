"""What an SLO alert says beside "it burns": since when, where, and which dependency grew."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import urlencode

from alerting.alerts import rfc3339
from alerting.burn import TierBurn
from alerting.rules import Slo
from collector.store.errors import StoreError
from collector.store.slo_reads import BadPart, TimeByPart, bad_by, time_by_part
from collector.store.store import Store

__all__ = ["Diagnosis", "Episode", "diagnose"]

PARTS = {
    "db_ms": "time in the database",
    "cache_ms": "time in the cache",
    "rpc_ms": "time in outgoing calls",
    "cpu_ms": "CPU time",
    "other_ms": "time outside CPU and dependencies",
}
#: A part is named when it explains at least this share of the rise of the wall time.
NAMED_SHARE = 0.2


@dataclass(frozen=True, slots=True)
class Episode:
    """The stretch of time that burns: [since_ms, to_ms)."""

    slo: Slo
    service: str
    since_ms: int
    to_ms: int
    window_ms: int

    @property
    def before(self) -> tuple[int, int]:
        """The stretch to compare with: just before, and long enough to have requests in it."""
        length = max(self.to_ms - self.since_ms, self.window_ms, 60_000)
        return max(0, self.since_ms - length), self.since_ms


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """The text of an alert. `release`: the one most bad requests came from, or empty."""

    summary: str
    release: str
    details: Mapping[str, Any]
    links: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Cause:
    grew: tuple[tuple[str, float, float], ...] = ()
    parts: tuple[BadPart, ...] = ()
    before: TimeByPart | None = None
    after: TimeByPart | None = None
    error: str = ""


def diagnose(
    store: Store, episode: Episode, budget_left: float, tier: TierBurn, base_url: str
) -> Diagnosis:
    """Never fails: an alert whose cause cannot be read goes out without it, and says so."""
    try:
        cause = _read_cause(store, episode)
    except StoreError as error:
        cause = _Cause(error=str(error))
    release = _leading(cause.parts, "release")
    return Diagnosis(
        summary=_summary(episode, budget_left, tier, cause, release),
        release=release,
        details=_details(episode, budget_left, tier, cause),
        links=_links(episode, base_url),
    )


def _read_cause(store: Store, episode: Episode) -> _Cause:
    slo = episode.slo
    where: dict[str, Any] = {"service": episode.service, "endpoint": slo.endpoint}
    from_ms, until_ms = episode.before
    before = time_by_part(store, from_ms=from_ms, to_ms=until_ms, **where)
    after = time_by_part(store, from_ms=episode.since_ms, to_ms=episode.to_ms, **where)
    parts = bad_by(
        store,
        from_ms=episode.since_ms,
        to_ms=episode.to_ms,
        good=slo.good.kind,
        threshold_ms=slo.good.threshold_ms,
        **where,
    )
    bad = tuple(part for part in parts if part.bad > 0)
    return _Cause(_grew(before, after), bad, before, after)


def _grew(
    before: TimeByPart | None, after: TimeByPart | None
) -> tuple[tuple[str, float, float], ...]:
    """(part, ms before, ms after), most grown first, of the parts that explain the rise."""
    if before is None or after is None or after.wall_ms <= before.wall_ms:
        return ()
    a, b = _parts(before), _parts(after)
    enough = NAMED_SHARE * (after.wall_ms - before.wall_ms)
    grown = [(part, a[part], b[part]) for part in PARTS if b[part] - a[part] >= enough]
    return tuple(sorted(grown, key=lambda one: one[1] - one[2]))


def _parts(time: TimeByPart) -> dict[str, float]:
    known = {part: float(getattr(time, part)) for part in PARTS if part != "other_ms"}
    return {**known, "other_ms": max(0.0, time.wall_ms - sum(known.values()))}


def _summary(
    episode: Episode, budget_left: float, tier: TierBurn, cause: _Cause, release: str
) -> str:
    slo = episode.slo
    what = slo.endpoint or "requests"
    seconds = (episode.to_ms - episode.since_ms) / 1000
    text = (
        f"{slo.title} breaks in {episode.service}: {tier.long.bad:.0f} of {tier.long.total:.0f} "
        f"{what} of the last {_span(tier.tier.long_s)} were not good ({slo.good.text}), since "
        f"about {rfc3339(episode.since_ms)} ({_span(seconds)}). The error budget of "
        f"{_span(slo.window_s)} burns {tier.burn_long:.3g} times too fast; {_left(budget_left)}."
    )
    if cause.grew:
        said = [f"{PARTS[part]} rose from {a:.1f} to {b:.1f} ms" for part, a, b in cause.grew]
        text += f" Per request, {' and '.join(said)}."
    if not slo.endpoint and cause.parts:
        worst = _leading(cause.parts, "endpoint")
        text += f" Most of them: {worst}."
    return text + (f" Release {release} served them." if release else "")


def _details(episode: Episode, budget_left: float, tier: TierBurn, cause: _Cause) -> dict[str, Any]:
    return {
        "since_ms": episode.since_ms,
        "objective": episode.slo.objective,
        "good": episode.slo.good.text,
        "slo_window_s": episode.slo.window_s,
        "budget_left": budget_left,
        "burn_rate": tier.burn_long,
        "burn_rate_short": tier.burn_short,
        "factor": tier.tier.factor,
        "long_window_s": tier.tier.long_s,
        "short_window_s": tier.tier.short_s,
        "bad": tier.long.bad,
        "total": tier.long.total,
        "evidence": tier.reason,
        "grew": [{"part": part, "before_ms": a, "after_ms": b} for part, a, b in cause.grew],
        "time_before": asdict(cause.before) if cause.before else None,
        "time_now": asdict(cause.after) if cause.after else None,
        "worst": [asdict(part) for part in cause.parts[:5]],
        "diagnosis_error": cause.error,
    }


def _links(episode: Episode, base_url: str) -> dict[str, str]:
    from_ms, _ = episode.before
    window = {"from": rfc3339(from_ms), "to": rfc3339(episode.to_ms)}
    query = {"service": episode.service, "endpoint": episode.slo.endpoint, **window}
    if not episode.slo.endpoint:
        return {"overview": f"{base_url}/?{urlencode({'service': episode.service, **window})}"}
    return {
        "endpoint": f"{base_url}/endpoint?{urlencode(query)}",
        "flame": f"{base_url}/flame?{urlencode(query)}",
    }


def _leading(parts: Sequence[BadPart], field: str) -> str:
    """The release or endpoint with most of the bad requests."""
    sums: dict[str, float] = {}
    for part in parts:
        name = str(getattr(part, field))
        sums[name] = sums.get(name, 0.0) + part.bad
    return max(sums, key=lambda name: sums[name], default="")


def _left(budget_left: float) -> str:
    if budget_left < 0:
        return f"it is overspent ({1 - budget_left:.3g} times what it allows)"
    return f"{budget_left:.0%} of it is left"


def _span(seconds: float) -> str:
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds:.3g} s"
