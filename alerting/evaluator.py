"""Evaluates all rules at one moment: reads, judges, writes what changed. Delivery runs beside it.

The state of alerts is in the store, read at each evaluation; what is in memory (since when an alert
is no longer true, looks of the cost rule, back-off) only delays, so a restart loses nothing.
"""

import logging
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from typing import Any

from alerting import journal
from alerting.alerts import Alert, Check, Finding, from_json
from alerting.checking import Checker, Moment, is_dear
from alerting.courier import Courier
from alerting.diagnosis import Patience
from alerting.errors import AlertingError
from alerting.heartbeat import Heartbeat
from alerting.later import Later
from alerting.lifecycle import LifeCycle
from alerting.pace import Pace
from alerting.rulebook import RuleBook
from alerting.rules import Rules
from alerting.slo import SloStatus
from alerting.slo_reading import Alive, SloCounts
from collector.store.alert_reads import open_alerts
from collector.store.store import Store

__all__ = ["Evaluation", "Evaluator", "EvaluatorStatus"]

log = logging.getLogger("dynoscope.alerting")

#: An SLO's state is written at most this often.
STATE_EVERY_MS = 15_000
#: A rule that failed so often in a row raises an alert of its own.
FAILURES_MAX = 3
#: How this evaluator fares is written at least this often.
STATUS_EVERY_MS = 60_000
#: A courier that was not told of anything looks so often for what others did: silences, another
#: evaluator's alerts.
IDLE_S = 5.0
#: No heartbeat when the newest evaluation is older than so many intervals.
BEATS_WITHIN = 4
FAILED_RULE = "rule-failed"
BROKEN_FILE = "rule-file-broken"


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What one evaluation saw and changed."""

    now_ms: int
    changed: tuple[Alert, ...]
    slos: tuple[SloStatus, ...]
    #: (rule, why it could not be evaluated)
    failures: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class EvaluatorStatus:
    """How alerting itself fares. `last_ms`: the newest evaluation, or 0; `error`: why it failed."""

    last_ms: int
    rules: int
    failures: tuple[tuple[str, str], ...]
    problems: tuple[str, ...]
    undelivered: int
    error: str


@dataclass(slots=True)
class Evaluator:
    """`settle_s`: windows end so long before now, because data arrives late. `stale_s`: a service
    that sent nothing for longer has the state `no data`. `clock`: seconds since 1970."""

    store: Store
    rulebook: RuleBook
    courier: Courier
    checker: Checker
    clock: Callable[[], float]
    interval_s: float
    settle_s: float
    stale_s: float
    heartbeat: Heartbeat | None = None
    _life: LifeCycle = field(default_factory=LifeCycle)
    #: of the rules that no page may wait for
    _dear_life: LifeCycle = field(default_factory=LifeCycle)
    _written_ms: dict[tuple[str, str], int] = field(default_factory=dict)
    _failed_in_row: dict[str, int] = field(default_factory=dict)
    _wakes: dict[str, threading.Event] = field(default_factory=dict)
    _last: Evaluation | None = None
    #: by receiver
    _undelivered: dict[str, int] = field(default_factory=dict)
    #: the status that was written last
    _told: dict[str, Any] = field(default_factory=dict)
    _told_ms: int = 0
    #: of the newest turn of each thread that failed
    _errors: dict[str, str] = field(default_factory=dict)

    def evaluate_once(self, now_ms: int) -> Evaluation:
        """Evaluate every rule as of `now_ms`, record transitions and SLO states: first the rules
        that are soon looked at, so that their pages wait for no comparison of releases.

        Raises StoreError when the store itself does not answer.
        """
        rules = self.rulebook.refresh()
        to_ms = now_ms - round(self.settle_s * 1000)
        counts = SloCounts(self.store, to_ms, rules.slos)
        stored = Later(lambda: open_alerts(self.store))
        counts.read_ahead()
        is_open, unreadable = _parsed(stored.value())
        alive = Alive(self.store, max(0, to_ms - round(self.stale_s * 1000)))
        firing = {alert.id: alert.severity for alert in is_open}
        moment = Moment(to_ms, alive, firing, counts, Patience(self.checker.diagnosis_s))
        quick = [rule for rule in rules.all if not is_dear(rule)]
        names = {rule.name for rule in quick}
        checks = self.checker.check_all(quick, moment)
        changed = self._follow(
            self._life, [one for one in is_open if one.rule in names], checks, now_ms
        )
        dear = self.checker.check_all(filter(is_dear, rules.all), moment)
        failures = tuple((check.rule, check.failed) for check in checks + dear if check.failed)
        if unreadable:
            failures += (("stored-alerts", f"{unreadable} stored alerts cannot be read"),)
        self._count_failures(failures, now_ms)
        dear += [self._check_failures(failures, now_ms), _check_files(rules, now_ms)]
        changed += self._follow(
            self._dear_life, [one for one in is_open if one.rule not in names], dear, now_ms
        )
        self._write_states(moment.statuses, now_ms)
        self._last = Evaluation(now_ms, tuple(changed), tuple(moment.statuses), failures)
        return self._last

    def _follow(
        self, life: LifeCycle, is_open: Sequence[Alert], checks: Sequence[Check], now_ms: int
    ) -> list[Alert]:
        """What changes, recorded; the couriers are told at once."""
        changed = life.step(is_open, checks, now_ms)
        for alert in changed:
            journal.record_alert(self.store, alert, now_ms, self.courier.instance)
        if changed:
            self._wake()
        return changed

    def deliver_once(self, now_ms: int) -> int:
        """Send what is due; returns how many notifications are still undelivered."""
        left = self.courier.deliver_once(now_ms)
        self._undelivered = {"all": left}
        return left

    def run(self, stop: threading.Event) -> None:
        """Evaluate at the pace of `pace.py` until `stop`; deliver on a thread for each receiver, so
        that one that hangs holds back no evaluation and no other receiver."""
        threads = [
            threading.Thread(target=self._run_courier, args=(stop, one), name="alert-courier")
            for one in self.courier.each_alone()
        ]
        if self.heartbeat is not None:
            beat = (stop, self.heartbeat)
            threads.append(threading.Thread(target=self._run_heartbeat, args=beat, name="beat"))
        for thread in threads:
            thread.start()
        pace = Pace(self.interval_s, self.store.arrivals)
        while not stop.is_set():
            pace.begin()
            self._guarded("evaluation", self.evaluate_once)
            self._guarded("status", self.write_status)
            pace.wait(stop)
        self._wake()
        for thread in threads:
            thread.join()

    def write_status(self, now_ms: int) -> None:
        """For pages and /v1/health: when it changed, and every minute."""
        status = asdict(self.status())
        told = {key: value for key, value in status.items() if key != "last_ms"}
        if told == self._told and now_ms - self._told_ms < STATUS_EVERY_MS:
            return
        journal.record_evaluator(
            self.store, self.courier.instance, {**status, "interval_s": self.interval_s}, now_ms
        )
        self._told, self._told_ms = told, now_ms

    def status(self) -> EvaluatorStatus:
        """Safe to call from other threads."""
        last, rules = self._last, self.rulebook.current
        return EvaluatorStatus(
            last_ms=last.now_ms if last else 0,
            rules=len(rules.names()),
            failures=last.failures if last else (),
            problems=tuple(str(problem) for problem in rules.problems),
            undelivered=sum(list(self._undelivered.values())),
            error="; ".join(list(self._errors.values())),
        )

    def _count_failures(self, failures: Sequence[tuple[str, str]], now_ms: int) -> None:
        before = self._failed_in_row
        self._failed_in_row = {rule: before.get(rule, 0) + 1 for rule, _ in failures}
        for rule, why in failures:
            log.error("rule %s could not be evaluated: %s", rule, why)
            journal.record_failure(self.store, rule, now_ms)

    def _check_failures(self, failures: Sequence[tuple[str, str]], now_ms: int) -> Check:
        return Check(
            FAILED_RULE,
            tuple(
                Finding(
                    rule=FAILED_RULE,
                    key=(rule,),
                    severity="ticket",
                    labels={"failed": rule},
                    summary=f"The rule {rule} could not be evaluated {FAILURES_MAX} times in a row "
                    f"or more: {why}",
                    started_ms=now_ms,
                )
                for rule, why in failures
                if self._failed_in_row[rule] >= FAILURES_MAX
            ),
        )

    def _write_states(self, statuses: Sequence[SloStatus], now_ms: int) -> None:
        due = [
            status
            for status in statuses
            if now_ms - self._written_ms.get((status.slo.name, status.service), 0) >= STATE_EVERY_MS
        ]
        journal.record_slos(self.store, due, now_ms)
        self._written_ms.update({(one.slo.name, one.service): now_ms for one in due})

    def _run_courier(self, stop: threading.Event, courier: Courier) -> None:
        target = courier.receivers[0].target
        wake = self._wakes.setdefault(target, threading.Event())

        def deliver(now_ms: int) -> None:
            self._undelivered[target] = courier.deliver_once(now_ms)

        while not stop.is_set():
            wake.clear()
            self._guarded(f"delivery to {target}", deliver)
            due_ms = courier.next_due_ms()
            idle_s = max(self.interval_s, IDLE_S)
            wait_s = idle_s if due_ms is None else due_ms / 1000 - self.clock()
            wake.wait(min(max(wait_s, 0.05), idle_s))

    def _run_heartbeat(self, stop: threading.Event, heartbeat: Heartbeat) -> None:
        while not stop.is_set():
            self._guarded("heartbeat", self.beat_once)
            stop.wait(heartbeat.every_s)

    def beat_once(self, now_ms: int) -> None:
        """Tell the dead man's switch, unless evaluation or delivery do not go on. Raises
        AlertingError when it is not reached."""
        last_ms = self._last.now_ms if self._last else 0
        is_well = now_ms - last_ms <= BEATS_WITHIN * self.interval_s * 1000
        if self.heartbeat is not None and is_well and "evaluation" not in self._errors:
            self.heartbeat.beat(now_ms)

    def _wake(self) -> None:
        for event in list(self._wakes.values()):
            event.set()

    def _guarded(self, name: str, step: Callable[[int], object]) -> None:
        """A thread that dies evaluates nothing any more: what fails is shown and tried again."""
        try:
            step(int(self.clock() * 1000))
            self._errors.pop(name, None)
        except AlertingError as error:
            self._errors[name] = f"{name}: {error}"
            log.error("%s", error)
        except Exception as error:
            self._errors[name] = f"{name}: {type(error).__name__}: {error}"
            log.exception("alerting failed; it goes on at the next turn")


def _parsed(texts: Sequence[str]) -> tuple[list[Alert], int]:
    """The alerts, and how many are none: anyone who may ingest can write the table."""
    parsed: list[Alert] = []
    for text in texts:
        with suppress(ValueError):
            parsed.append(from_json(text))
    return parsed, len(texts) - len(parsed)


def _check_files(rules: Rules, now_ms: int) -> Check:
    """One alert a broken file; it resolves when the file is mended."""
    by_file = {problem.file: problem for problem in reversed(rules.problems)}
    return Check(
        BROKEN_FILE,
        tuple(
            Finding(
                rule=BROKEN_FILE,
                key=(file,),
                severity="ticket",
                labels={"file": file},
                summary=f"Rules are not read, their last good version stays in force: {problem}",
                started_ms=now_ms,
            )
            for file, problem in sorted(by_file.items())
        ),
    )
