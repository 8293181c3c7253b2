"""How often is the guilty function named, how true are the intervals, how few false alarms?

Simulated services with known truth (`benchmarks/attributing`): changes of 1 to 30% in one of 300
functions, of five kinds, while traffic, mix, warm-up, hosts and correlated noise move, too; and
pairs in which nothing changed. The oracle is the z test that knows the true variances. One fixed
seed, and one that is drawn at run time and printed.
"""

import argparse
import json
import secrets
import sys
import time
from collections.abc import Sequence

import numpy as np

from benchmarks.attributing.live import live_trials
from benchmarks.attributing.trials import Trial, planted_trial, unchanged_trial

__all__ = ["main", "summary"]

SEED = 20_160_621
#: (planted changes, unchanged pairs, live changes): half of the former two with each seed.
FULL, QUICK = (200, 2_000, 10), (40, 60, 3)
ORACLE_POWER = 0.9


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer trials")
    parser.add_argument("--seed", type=int, help="the second seed [drawn]")
    parser.add_argument("--no-live", action="store_true", help="simulations only")
    parser.add_argument("--live-only", action="store_true", help="the live part only")
    options = parser.parse_args(arguments)
    planted, unchanged, live = QUICK if options.quick else FULL
    drawn = options.seed if options.seed is not None else secrets.randbelow(2**31)
    print(f"seeds: {SEED} and {drawn} (drawn; --seed {drawn} repeats it)")
    started = time.monotonic()
    found: dict[str, object] = {"name": "attribution"}
    if not options.live_only:
        trials, alarms = [], []
        for seed in (SEED, drawn):
            trials += [_told(planted_trial(number, seed)) for number in range(planted // 2)]
            alarms += [unchanged_trial(number, seed) for number in range(unchanged // 2)]
        found = summary(trials, alarms)
    if not options.no_live:
        found |= live_trials(live, drawn)
    found["seconds"] = round(time.monotonic() - started, 1)
    print(json.dumps(found))
    return 0


def summary(trials: Sequence[Trial], alarms: Sequence[bool]) -> dict[str, object]:
    """rank1 and top3 where the oracle has its power; the other figures over all trials."""
    clear = [trial for trial in trials if trial.oracle_power >= ORACLE_POWER]
    intervals = sum(trial.intervals for trial in trials)
    oracle = sum(trial.oracle_power for trial in trials)
    return {
        "name": "attribution",
        "rank1": _share([trial.rank == 1 for trial in clear]),
        "top3": _share([1 <= trial.rank <= 3 for trial in clear]),
        "rank1_without_counted_calls": _share([trial.uncounted == 1 for trial in clear]),
        "coverage": round(sum(trial.covered for trial in trials) / max(intervals, 1), 4),
        "aa_false": _share(alarms),
        "power_vs_oracle": round(sum(trial.found for trial in trials) / max(oracle, 1e-9), 3),
        "trials": len(trials),
        "clear": len(clear),
        "intervals": intervals,
        "aa_pairs": len(alarms),
    }


def _share(values: Sequence[bool]) -> float | None:
    return round(float(np.mean(values)), 4) if values else None


def _told(trial: Trial) -> Trial:
    print(
        f"{trial.kind:8} {trial.share:6.1%} oracle {trial.oracle_power:.2f} "
        f"{'found' if trial.found else 'missed':7} rank {trial.rank} "
        f"(uncounted {trial.uncounted}) covered {trial.covered}/{trial.intervals}",
        flush=True,
    )
    return trial


if __name__ == "__main__":
    sys.exit(main())
