"""Functions are rolled up in a thread that goes on after a failure; whatever is killed when, each
acknowledged sample counts once."""

import random
import subprocess
import sys
import threading
import time

import pytest

from collector.answers import function_sums
from collector.answers.records import Window
from collector.function_upkeep import FunctionUpkeep
from collector.store import function_reads
from collector.store.errors import StoreError
from collector.store.function_rollup import roll_up_functions
from collector.store.store import open_store
from tests.collector.function_process import NOW_MS, batch
from tests.collector.rows import SERVICE, START_MS, sample_rows

HOURS = Window(START_MS, START_MS + 2 * 3_600_000)


def test_the_loop_goes_on_after_a_failure(tmp_path, monkeypatch, caplog):
    store = open_store(tmp_path)
    store.insert("stack_samples", sample_rows(50, 1), "s")
    stop, real, looks = threading.Event(), store.functions.done, iter(range(100))

    def done(*words):
        if next(looks) == 0:
            raise StoreError("busy")
        real(*words)

    monkeypatch.setattr(store.functions, "done", done)
    upkeep = FunctionUpkeep(store, lambda: START_MS / 1000 + 7200, 0.001)
    thread = threading.Thread(target=upkeep.run, args=(stop,))
    thread.start()
    whole = Window(START_MS, START_MS + 3_600_000)
    while not function_reads.plan_of(store, whole).hours:
        assert thread.is_alive()
    stop.set()
    thread.join(60)
    assert not thread.is_alive()
    assert "functions were not rolled up: busy" in caplog.text
    store.close()


def test_a_stop_leaves_the_rest_for_later(tmp_path, monkeypatch):
    store, stop = open_store(tmp_path), threading.Event()
    store.insert("stack_samples", sample_rows(50, 1), "s")
    real = store.functions.done

    def done(*words):
        stop.set()
        real(*words)

    monkeypatch.setattr(store.functions, "done", done)
    FunctionUpkeep(store, lambda: START_MS / 1000 + 7200).run(stop)
    plan = function_reads.plan_of(store, Window(START_MS, START_MS + 600_000))
    assert (plan.hours, plan.steps) == ((), ())
    store.close()


@pytest.mark.parametrize("rounds", [3, pytest.param(60, marks=pytest.mark.long)])
def test_each_sample_counts_once_after_kill_9(tmp_path, monkeypatch, rounds):
    monkeypatch.setattr(function_sums, "RAW_MS_MAX", 0)
    rng, number = random.Random(rounds), 0
    for _ in range(rounds):
        acknowledged = killed(tmp_path, number, rng)
        number = acknowledged + 1
        store = open_store(tmp_path, clock=lambda: NOW_MS / 1000)
        # The one that was under way when it was killed: sent again, as an agent does.
        store.insert("stack_samples", batch(number), f"b{number}", attempt=2)
        expected = sum(sum(batch(at)["weight_s"].to_pylist()) for at in range(number + 1))
        assert weight_s(store) == pytest.approx(expected)
        roll_up_functions(store, NOW_MS)
        assert function_reads.plan_of(store, HOURS).raw == ()
        assert weight_s(store) == pytest.approx(expected)
        store.close()
        number += 1


def killed(folder, first, rng):
    """Let a process store and roll up for a while, and end it; the last batch acknowledged."""
    command = [sys.executable, "-m", "tests.collector.function_process", str(folder), str(first)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        for _ in range(rng.randint(1, 6)):
            last = int(process.stdout.readline())
        time.sleep(rng.uniform(0, 0.1))  # anywhere
        process.kill()
        more = process.stdout.read().split()
    return int(more[-1]) if more else last


def weight_s(store):
    return function_sums.function_sums(store, HOURS, SERVICE, "", "").weight_s
