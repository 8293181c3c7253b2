"""What an SLO alert says beside "it burns": since when, where, what grew, which requests to see."""

import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any
from urllib.parse import urlencode

from alerting.alerts import rfc3339
from alerting.burn import TierBurn
from alerting.cause import PARTS, Cause, Episode, Grown, read_cause
from collector.store.slo_reads import BadPart
from collector.store.store import Store

__all__ = ["DIAGNOSIS_S", "Diagnosis", "Episode", "Patience", "diagnose", "in_time"]

log = logging.getLogger("dynoscope.alerting")

#: How long the alerts of one look wait for their diagnoses.
DIAGNOSIS_S = 5.0
#: A region is named when so much of the bad is in it, and there are others.
REGION_SHARE = 0.8


@dataclass(slots=True)
class Patience:
    """How long the alerts of one look may still wait for what they say, all together: where much
    breaks at once, the last one may not come later for all the words about the others."""

    left_s: float = DIAGNOSIS_S
    clock: Callable[[], float] = time.monotonic

    def spend(self, look: Callable[[float], Cause]) -> Cause:
        """`look` is given what is left."""
        if self.left_s <= 0:
            return Cause(error="the diagnoses of other alerts took all the time there was")
        began_s = self.clock()
        try:
            return look(self.left_s)
        finally:
            self.left_s -= self.clock() - began_s


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """The text of an alert. `release`, `region`: where most bad requests came from, or empty."""

    summary: str
    release: str
    region: str
    details: Mapping[str, Any]
    links: Mapping[str, str]


def diagnose(
    store: Store,
    episode: Episode,
    budget_left: float,
    tier: TierBurn,
    base_url: str,
    patience: Patience,
) -> Diagnosis:
    """Never fails and never takes longer than is left of `patience`: an alert whose cause cannot be
    read in time goes out with what is known by then, and says so."""
    cause = patience.spend(lambda limit_s: in_time(lambda: read_cause(store, episode), limit_s))
    release = _leading(cause.worst, "release")
    region = _region(cause.worst)
    return Diagnosis(
        summary=_summary(episode, budget_left, tier, cause, release, region),
        release=release,
        region=region,
        details=_details(episode, budget_left, tier, cause),
        links=_links(episode, cause, base_url),
    )


def in_time(look: Callable[[], Iterator[Cause]], limit_s: float) -> Cause:
    """What `look` knows at its end, or else when it fails or the time is up, and then why that is
    not all. A look that hangs is left behind on its thread, until the store's own limit ends it."""
    found = [Cause()]
    ended = threading.Event()

    def run() -> None:
        try:
            for cause in look():
                found.append(cause)
        except Exception as error:  # whatever it is, the alert goes out
            log.warning("a diagnosis failed", exc_info=True)
            found.append(replace(found[-1], error=f"{type(error).__name__}: {error}"))
        ended.set()

    threading.Thread(target=run, name="alert-diagnosis", daemon=True).start()
    if ended.wait(limit_s):
        return found[-1]
    return replace(found[-1], error=f"the diagnosis took longer than {limit_s:g} s")


def _summary(
    episode: Episode,
    budget_left: float,
    tier: TierBurn,
    cause: Cause,
    release: str,
    region: str,
) -> str:
    slo = episode.slo
    what = slo.endpoint or ("events" if slo.good.metric else "requests")
    seconds = (episode.to_ms - episode.since_ms) / 1000
    text = (
        f"{slo.title} breaks in {episode.service}: {tier.long.bad:.0f} of {tier.long.total:.0f} "
        f"{what} of the last {_span(tier.tier.long_s)} were not good ({slo.good.text}), since "
        f"about {rfc3339(episode.since_ms)} ({_span(seconds)}). The error budget of "
        f"{_span(slo.window_s)} burns {tier.burn_long:.3g} times too fast; "
        f"{_left(budget_left, tier.burn_long, slo.window_s)}."
    )
    if cause.grew:
        text += f" Per request, {' and '.join(_said(one) for one in cause.grew)}."
    if cause.function:
        text += (
            f" Look at {cause.function['function']} first: {cause.function['rise_ms']:+.3g} ms of "
            f"CPU (95% {cause.function['low_ms']:+.3g} to {cause.function['high_ms']:+.3g})."
        )
    if not slo.endpoint and cause.worst:
        text += f" Most of them: {_leading(cause.worst, 'endpoint')}."
    if cause.errors:
        text += f" Most frequent error: {cause.errors[0].type}: {cause.errors[0].message[:120]}."
    if release or region:
        where = [f"Release {release}"] if release else []
        where += [f"region {region}"] if region else []
        text += f" {' in '.join(where)} served them."
    return text + f" Evidence: {tier.reason}."


def _said(one: Grown) -> str:
    words = f"{PARTS[one.part]} rose from {one.before_ms:.1f} to {one.after_ms:.1f} ms"
    if one.low_ms == one.low_ms:  # not nan
        words += f" (95% {one.low_ms:+.1f} to {one.high_ms:+.1f})"
    return words


def _details(episode: Episode, budget_left: float, tier: TierBurn, cause: Cause) -> dict[str, Any]:
    burn = tier.burn_long
    return {
        "since_ms": episode.since_ms,
        "objective": episode.slo.objective,
        "good": episode.slo.good.text,
        "slo_window_s": episode.slo.window_s,
        "budget_left": budget_left,
        "budget_gone_in_s": max(0.0, budget_left) * episode.slo.window_s / burn if burn else None,
        "burn_rate": burn,
        "burn_rate_short": tier.burn_short,
        "factor": tier.tier.factor,
        "long_window_s": tier.tier.long_s,
        "short_window_s": tier.tier.short_s,
        "bad": tier.long.bad,
        "total": tier.long.total,
        "evidence": tier.reason,
        "grew": [asdict(one) for one in cause.grew],
        "function": cause.function,
        "time_before": asdict(cause.before) if cause.before else None,
        "time_now": asdict(cause.after) if cause.after else None,
        "worst": [asdict(part) for part in cause.worst[:5]],
        "requests": [
            {**asdict(one), "error_fp": f"{one.error_fp:016x}" if one.error_fp else ""}
            for one in cause.requests
        ],
        "errors": [
            {
                "error_fp": f"{one.error_fp:016x}",
                "type": one.type,
                "message": one.message,
                "events": one.events,
                "frames": list(one.frames[:5]),
            }
            for one in cause.errors
        ],
        "diagnosis_error": cause.error,
    }


def _links(episode: Episode, cause: Cause, base_url: str) -> dict[str, str]:
    from_ms, _ = episode.before
    window = {"from": rfc3339(from_ms), "to": rfc3339(episode.to_ms)}
    query = {"service": episode.service, "endpoint": episode.slo.endpoint, **window}
    service = {"service": episode.service, **window}
    links = {"overview": f"{base_url}/?{urlencode(service)}"}
    if episode.slo.endpoint:
        links = {
            "endpoint": f"{base_url}/endpoint?{urlencode(query)}",
            "flame": f"{base_url}/flame?{urlencode(query)}",
        }
    if cause.errors:
        links["errors"] = f"{base_url}/errors?{urlencode(service)}"
    kept = next((one.trace_id for one in cause.requests if one.traced), "")
    if kept:
        links["trace"] = f"{base_url}/v1/traces/{kept}"
    return links


def _leading(parts: Sequence[BadPart], field: str) -> str:
    """The release, region or endpoint with most of the bad requests."""
    sums = _sums(parts, field)
    return max(sums, key=lambda name: sums[name], default="")


def _region(parts: Sequence[BadPart]) -> str:
    """The region that most of it is in; empty where it is spread."""
    sums = _sums(parts, "region")
    leading = _leading(parts, "region")
    alone = sums.get(leading, 0.0) >= REGION_SHARE * sum(sums.values())
    return leading if alone and parts else ""


def _sums(parts: Sequence[BadPart], field: str) -> dict[str, float]:
    sums: dict[str, float] = {}
    for part in parts:
        name = str(getattr(part, field))
        sums[name] = sums.get(name, 0.0) + part.bad
    return sums


def _left(budget_left: float, burn_rate: float, window_s: float) -> str:
    if budget_left < 0:
        return f"it is overspent ({1 - budget_left:.3g} times what it allows)"
    gone_s = budget_left * window_s / burn_rate if burn_rate else float("inf")
    return f"{budget_left:.0%} of it is left, at this rate for {_span(gone_s)}"


def _span(seconds: float) -> str:
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds:.3g} s"
