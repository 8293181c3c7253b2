"""What one worker process has one of: settings, ring, endpoint frames. Made anew after a fork."""

from __future__ import annotations

import itertools
import os
import random
import sys
import threading
import time
from typing import Any, Callable, Iterator, Optional

from dynoscope_probe import guard, identity
from dynoscope_probe.counters import UNIT_CPU_NS, UNIT_INSTRUCTIONS, PerfGroup, open_group
from dynoscope_probe.deep import Deep
from dynoscope_probe.endpoint import endpoint_frame
from dynoscope_probe.leftovers import remove_leftovers
from dynoscope_probe.ring import Facts, Ring, open_ring
from dynoscope_probe.settings import Settings, is_enabled, read_settings
from dynoscope_probe.trace import threshold_of

__all__ = ["Process", "ThreadState", "count_unrecorded", "current_process"]

#: How long a process without a ring waits before it tries again.
RETRY_NS = 60 * 10**9
#: How long a thread's first request waits while another thread makes the ring.
OPEN_WAIT_S = 1.0

_process: Optional[Process] = None
#: Locks by pid: a child never waits for a lock that a thread of its parent held.
_opening: dict[int, threading.Lock] = {}
#: Requests that found no ring, by pid: the next ring says how many.
_unrecorded: dict[int, Iterator[int]] = {}


class Process:
    """The ring of this process and what goes with it."""

    def __init__(self, pid: int, ring: Ring, settings: Settings, age_s: float) -> None:
        self.pid = pid
        self.ring = ring
        self.settings = settings
        self.started_monotonic_ns = time.perf_counter_ns() - int(age_s * 1e9)
        self.requests = itertools.count(1)
        self.next_request = self.requests.__next__
        self.random_bits = random.Random(os.urandom(16)).getrandbits
        self.deep = Deep(ring, settings.deep_rate, self.random_bits)
        #: String id of each error fingerprint.
        self.error_texts: dict[int, int] = {}
        #: String id of each statement, by its raw text.
        self.statement_ids: dict[str, int] = {}
        #: Name of each kind of outgoing or cache call.
        self.call_names: dict[Any, str] = {}
        self.trace_threshold = threshold_of(settings.span_rate)
        self.slow_ns = settings.span_slow_ms * 1_000_000
        self._frames: dict[str, tuple[Callable[..., Any], int]] = {}
        self._threads = threading.local()

    def thread(self) -> ThreadState:
        """This thread's state, made at its first request."""
        try:
            state: ThreadState = self._threads.state
        except AttributeError:
            state = self._threads.state = ThreadState(self)
        return state

    def endpoint(self, name: str) -> tuple[Callable[..., Any], int]:
        """(frame to call through, string id) of an endpoint; past the limit those of `(other)`."""
        known = self._frames.get(name)
        if known is None:
            kept, string_id = self.ring.endpoint_id(name)
            if kept != name and kept in self._frames:
                return self._frames[kept]
            self._frames[kept] = known = (endpoint_frame(kept), string_id)
        return known


class ThreadState:
    """A thread's counter and in-flight slot; given back when the thread ends."""

    __slots__ = ("group", "ident", "native_id", "pid", "ring", "slot")

    def __init__(self, process: Process) -> None:
        self.ring = process.ring
        self.pid = process.pid
        self.slot = process.ring.claim_slot()
        self.ident = threading.get_ident()
        self.native_id = threading.get_native_id()
        self.group: Optional[PerfGroup] = None
        group, _ = open_group(process.settings.counter)
        if group is not None:
            self.group = group
        elif process.settings.counter == "instructions":
            process.ring.count("counter_failed")

    def __del__(self) -> None:
        try:
            if self.group is not None:
                self.group.close()
            if self.pid == os.getpid():  # a child has no say in its parent's ring
                self.ring.release_slot(self.slot)
        except Exception:  # noqa: SIM105 - the interpreter is ending and its modules are gone
            pass


class _Silent:
    """A process that has no ring: the application runs on, nothing is recorded."""

    def __init__(self, pid: int, retry_ns: Optional[int]) -> None:
        self.pid = pid
        self.retry_ns = retry_ns

    def may_retry(self) -> bool:
        return self.retry_ns is not None and time.perf_counter_ns() >= self.retry_ns


_silent: Optional[_Silent] = None


def current_process() -> Optional[Process]:
    """This process's state, made at its first request and after a fork; None: stay silent."""
    process = _process
    pid = os.getpid()
    if process is not None and process.pid == pid:
        return process
    silent = _silent
    if silent is None or silent.pid != pid or silent.may_retry():
        return _open_once(pid)
    return None


def count_unrecorded() -> None:
    """Count a request for which there was no ring."""
    process = _process
    if process is not None and process.pid == os.getpid():  # made since the request gave up
        process.ring.count("requests_unrecorded")
        return
    next(_unrecorded.setdefault(os.getpid(), itertools.count()))


def forget_process() -> None:
    """For tests: the next request makes a new ring, from the environment as it is then."""
    global _process, _silent
    _process = _silent = None
    _unrecorded.clear()


def _open_once(pid: int) -> Optional[Process]:
    """Open the ring; the first requests of other threads wait for it (some milliseconds)."""
    global _process, _silent
    lock = _opening.setdefault(pid, threading.Lock())
    if not lock.acquire(timeout=OPEN_WAIT_S):  # it makes the ring and installs the hooks
        return _process if _process is not None and _process.pid == pid else None
    try:
        if _process is not None and _process.pid == pid:
            return _process
        if _silent is not None and _silent.pid == pid and not _silent.may_retry():
            return None
        if not is_enabled(os.environ):
            _silent = _Silent(pid, None)
            return None
        process = _open(pid)
        guard.count_errors_with(lambda: process.ring.count("probe_errors"))
        _install_hooks()
        _process = process  # last: a request that is counted finds all hooks in place
        missed = _unrecorded.pop(pid, None)
        if missed is not None:
            process.ring.count("requests_unrecorded", next(missed))
        return process
    except Exception as error:
        _silent = _Silent(pid, time.perf_counter_ns() + RETRY_NS)
        if not isinstance(error, OSError):
            guard.swallowed()
        return None
    finally:
        lock.release()


def _open(pid: int) -> Process:
    folder = _working_folder()
    settings = read_settings(os.environ, folder)
    group, reason = open_group(settings.counter)
    if group is not None:
        group.close()
    ticks = identity.process_start_ticks(pid)
    facts = Facts(
        pid=pid,
        worker=identity.worker_number(),
        pid_namespace=identity.pid_namespace(),
        created_ns=time.time_ns(),
        process_start_ticks=ticks,
        unit=UNIT_CPU_NS if group is None else UNIT_INSTRUCTIONS,
        service=settings.service,
        host=settings.host,
        region=settings.region,
        release=settings.release,
        runtime=identity.runtime(),
        cpu_model=identity.cpu_model(),
        unit_reason=reason,
        sys_path="\n".join(
            os.path.abspath(entry) for entry in sys.path if os.path.exists(entry or ".")
        ),
    )
    ring = open_ring(settings.ring_dir, settings.ring_records, facts, settings.ring_details)
    if settings.bad:
        ring.count("bad_settings", settings.bad)
    remove_leftovers(settings.ring_dir, facts.pid_namespace)
    return Process(pid, ring, settings, identity.process_age_s(ticks))


def _install_hooks() -> None:
    """Time what requests ask of others; here, since without a ring nothing needs to be timed."""
    from dynoscope_probe import garbage, http_client, httpx, psycopg, publishing, sqlalchemy, stores

    for hooks in (garbage, http_client, httpx, psycopg, publishing, sqlalchemy, stores):
        try:
            hooks.install()
        except Exception:
            guard.swallowed()


def _working_folder() -> str:
    try:
        return os.getcwd()
    except OSError:  # it was removed
        return ""
