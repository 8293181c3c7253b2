"""Builds the evaluator out of its parts, over a real store."""

from collections.abc import Callable, Sequence
from pathlib import Path

from alerting.checking import Checker
from alerting.courier import Courier
from alerting.diagnosis import DIAGNOSIS_S
from alerting.evaluator import Evaluator
from alerting.receiver_files import Receivers, read_receivers
from alerting.receivers import webhook_of
from alerting.releases import release_watch
from alerting.rulebook import BUNDLED_DIR, RuleBook
from alerting.store_clock import StoreClock
from alerting.thresholds import ThresholdWatch
from collector.store.store import Store

__all__ = ["build_evaluator"]


def build_evaluator(
    store: Store,
    *,
    rules_dir: Path | None = None,
    bundled: bool = True,
    slo_window_s: float | None = None,
    webhooks: Sequence[str] = (),
    interval_s: float = 15.0,
    settle_s: float = 10.0,
    stale_s: float = 120.0,
    base_url: str = "http://127.0.0.1:8600",
    warmup_requests: int = 200,
    warmup_s: int = 120,
    clock: Callable[[], float] | None = None,
    webhook_timeout_s: float = 5.0,
    receivers_file: Path | None = None,
    instance: str = "evaluator",
    diagnosis_s: float = DIAGNOSIS_S,
) -> Evaluator:
    """`rules_dir`: a folder of `*.yaml`; None: only the bundled rules. `slo_window_s`: replaces the
    window of every SLO, alert windows in proportion. `warmup_*`: as in `compare`.

    `clock`: seconds since 1970; None: the store's. `instance`: who this evaluator is among others
    over the same store, the same after a restart.
    `diagnosis_s`: how long an alert waits for what it says beside "it burns".

    Raises BadReceiver.
    """

    base_url = base_url.rstrip("/")
    known = read_receivers(receivers_file, webhook_timeout_s) if receivers_file else Receivers()
    hooks = tuple(webhook_of(url, webhook_timeout_s) for url in webhooks)
    receivers = (*hooks, *known.receivers)
    folders = ([BUNDLED_DIR] if bundled else []) + ([rules_dir] if rules_dir else [])
    return Evaluator(
        store=store,
        rulebook=RuleBook(folders, slo_window_s),
        courier=Courier(store, receivers, instance, 2 * diagnosis_s + interval_s),
        heartbeat=known.heartbeat,
        checker=Checker(
            store,
            release_watch(store, base_url, warmup_requests, warmup_s),
            ThresholdWatch(store, base_url),
            base_url,
            diagnosis_s,
        ),
        clock=clock or StoreClock(store),
        interval_s=interval_s,
        settle_s=settle_s,
        stale_s=stale_s,
    )
