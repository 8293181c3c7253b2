"""The story: traffic, a release with or without a regression, a slow database, what was found.

The name of the planted function stands here and in `patches/`; nothing that analyses can see it.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import httpx
import psutil

from demo_stack.checks import (
    COST_RULE,
    LATENCY_RULE,
    Check,
    Seen,
    checks_none,
    checks_regression,
)
from demo_stack.deploys import deploy
from demo_stack.faults import cause_slow_query, mend_slow_query
from demo_stack.pace import affordable_rps, feed_wall_s, warm_up_s
from demo_stack.processes import DemoError, alive
from demo_stack.progress import Progress
from demo_stack.releases import PACKAGE, patch_of
from demo_stack.stack import Stack
from demo_stack.traffic import RATE_RPS, read_summary, requests_sent, traffic
from demo_stack.webhook import read_alerts

__all__ = ["FULL", "SHORT", "Outcome", "Timing", "tell"]

PLANTED = "photos.ranking.affinity:affinity_score"
#: The release whose patch is the regression.
PATCHED = "r2"
TICK_S = 1.0


@dataclass(frozen=True, slots=True)
class Timing:
    """How long each phase takes, s.

    canary_s: only the first host runs the new release, so that both are seen at the same minutes;
    patience_s: how much longer an alert is waited for.
    """

    before_s: float
    canary_s: float
    after_s: float
    fault_s: float
    patience_s: float

    def scaled(self, total_s: float) -> "Timing":
        """The same proportions, `total_s` in all (patience left as it is)."""
        ratio = total_s / self.total_s
        return Timing(
            self.before_s * ratio,
            self.canary_s * ratio,
            self.after_s * ratio,
            self.fault_s * ratio,
            self.patience_s,
        )

    def with_warm_up(self, rate_rps: float) -> "Timing":
        """Longer where fewer requests a second make the workers' warm-up longer."""
        longer_s = warm_up_s(rate_rps) - warm_up_s(RATE_RPS)
        return replace(
            self,
            before_s=self.before_s + longer_s,
            canary_s=self.canary_s + longer_s,
            after_s=self.after_s + longer_s,
        )

    @property
    def total_s(self) -> float:
        """All phases, nothing waited for."""
        return self.before_s + self.canary_s + self.after_s + self.fault_s


FULL = Timing(before_s=90, canary_s=60, after_s=60, fault_s=60, patience_s=240)
SHORT = Timing(before_s=60, canary_s=55, after_s=55, fault_s=25, patience_s=300)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the story saw and whether its checks held. `machine_cpu`: mean share of all cores."""

    seen: Seen
    checks: list[Check]
    machine_cpu: float


def tell(
    stack: Stack,
    progress: Progress,
    *,
    regression: bool,
    timing: Timing,
    release: str = "r2",
    seed: int = 1,
) -> Outcome:
    """Run the story on a stack that is up: `release` follows what runs. Then the load has ended."""
    previous = stack.state.releases[stack.hosts[0]]
    watch = _Watch(stack, progress)
    rate_rps = _rate_rps(stack, progress)
    timing = timing.with_warm_up(rate_rps)
    longest_s = 2 * timing.total_s + 3 * timing.patience_s + 60
    stack.start(traffic(stack.home, stack.edge_url(), seed, rate_rps, longest_s))
    with progress.step(f"traffic on release {previous}", timing.before_s):
        watch.wait(timing.before_s)
    with progress.step(f"rolling out release {release}, one host first", timing.canary_s):
        patch = patch_of(PATCHED) if regression else None
        deploy_ms = deploy(stack, release, patch, lambda: watch.wait(timing.canary_s))
    with progress.step(f"traffic on release {release}", timing.after_s):
        watch.wait(timing.after_s)
        if regression:
            watch.wait(timing.patience_s, until=lambda: watch.has(COST_RULE, "firing"))
    comparison = compare(stack, previous, release)
    fault_ms, mend_ms = _fault(stack, watch, timing) if regression else (0, 0)
    stack.stop("load")
    seen = Seen(
        comparison=comparison,
        alerts=read_alerts(stack.home / "alerts.jsonl"),
        load=read_summary(stack.home),
        deploy_ms=deploy_ms,
        fault_ms=fault_ms,
        mend_ms=mend_ms,
    )
    checks = checks_regression(seen, PLANTED) if regression else checks_none(seen)
    return Outcome(seen, checks, watch.machine_cpu())


def _rate_rps(stack: Stack, progress: Progress) -> float:
    wall_s = feed_wall_s(stack.edge_url())
    rate_rps = affordable_rps(wall_s)
    progress.say(f"one feed takes {1000 * wall_s:.0f} ms here: {rate_rps:.0f} requests a second")
    return rate_rps


def compare(stack: Stack, before: str, after: str) -> dict[str, Any]:
    """Release `after` against `before`, as the read API answers."""
    token = (stack.home / "data" / "read.token").read_text().strip()
    try:
        response = httpx.get(
            f"{stack.serve_url()}/v1/compare",
            params={"a": f"release:{before}", "b": f"release:{after}", "service": PACKAGE},
            headers={"Authorization": f"Bearer {token}"},
            timeout=60,
        )
    except httpx.HTTPError as error:
        raise DemoError(f"the comparison could not be had: {error}") from error
    if response.status_code != 200:
        raise DemoError(f"the comparison was refused: {response.status_code} {response.text[:300]}")
    data: dict[str, Any] = response.json()["data"]
    return data


def _fault(stack: Stack, watch: "_Watch", timing: Timing) -> tuple[int, int]:
    """Slow the database, mend it, and wait for the alert to resolve: when, epoch ms."""
    port = stack.state.ports["postgres"]
    fault_ms = time.time_ns() // 1_000_000
    cause_slow_query(stack.home, port)
    try:
        with watch.progress.step("the database is slow with some feeds", timing.fault_s):
            watch.wait(timing.fault_s)
            watch.wait(timing.patience_s, until=lambda: watch.has(LATENCY_RULE, "firing"))
    finally:
        mend_slow_query(stack.home, port)
    mend_ms = time.time_ns() // 1_000_000
    with watch.progress.step("the database is mended; waiting for the alert to resolve", 40):
        watch.wait(timing.patience_s, until=lambda: watch.has(LATENCY_RULE, "resolved"))
    return fault_ms, mend_ms


class _Watch:
    """Waits, and shows meanwhile what is going on."""

    def __init__(self, stack: Stack, progress: Progress) -> None:
        self.stack = stack
        self.progress = progress
        self._shares: list[float] = []
        self._told = 0
        psutil.cpu_percent()

    def wait(self, seconds: float, until: Callable[[], bool] = lambda: False) -> None:
        """Until that many seconds have passed, or `until` says so."""
        give_up = time.monotonic() + seconds
        while time.monotonic() < give_up and not until():
            time.sleep(min(TICK_S, max(0.0, give_up - time.monotonic())))
            self._look()

    def has(self, rule: str, state: str) -> bool:
        """Whether such an alert has been delivered."""
        return any(
            a["alert"].get("rule") == rule and a["alert"].get("state") == state
            for a in read_alerts(self.stack.home / "alerts.jsonl")
        )

    def machine_cpu(self) -> float:
        """Mean share of all cores in use while waiting, 0..1."""
        return sum(self._shares) / len(self._shares) if self._shares else 0.0

    def _look(self) -> None:
        share = psutil.cpu_percent() / 100
        self._shares.append(share)
        alerts = read_alerts(self.stack.home / "alerts.jsonl")
        for alert in alerts[self._told :]:
            seen = alert["alert"]
            self.progress.say(f"alert {seen.get('state')}: {seen.get('summary')}")
        self._told = len(alerts)
        sent = requests_sent(self.stack.home)
        self.progress.fact(f"{sent:,} requests, machine {share:.0%} busy, {len(alerts)} alerts")
        for process in self.stack.state.processes:
            if not alive(process):
                raise DemoError(f"{process.name} has ended by itself; see {process.log}")
