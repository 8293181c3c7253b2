"""What the doctor found out about a host. Plain records: the checks judge them."""

from dataclasses import dataclass

__all__ = ["Collector", "Facts", "Folder", "Kernel", "Master", "PySpy", "RingFacts", "Spool"]


@dataclass(frozen=True, slots=True)
class Kernel:
    """The kernel's settings. None: there is no such setting here.

    `has_pmu`: whether the machine shows a hardware counting unit; `may_ptrace`: CAP_SYS_PTRACE.
    """

    perf_event_paranoid: int | None
    has_pmu: bool
    ptrace_scope: int | None
    user: str
    may_ptrace: bool


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder as this user sees it; `error`: why nothing can be said, "" else. Sizes in bytes."""

    path: str
    error: str = ""
    mode: int = 0
    readable: bool = False
    writable: bool = False
    total_bytes: int = 0
    free_bytes: int = 0


@dataclass(frozen=True, slots=True)
class RingFacts:
    """A ring of a living worker. `no_trace`: why its memory may not be read; `unreachable`: why
    the agent cannot see its process, or enter its pid namespace; `inner_pid`: its pid there, 0 if
    that namespace is ours; `defaulted`: names nobody chose (service, release)."""

    service: str
    pid: int
    unit: str
    unit_reason: str
    bytes: int
    bad_settings: int
    probe_errors: int
    requests_unrecorded: int
    no_trace: str = ""
    unreachable: str = ""
    inner_pid: int = 0
    defaulted: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Master:
    """A uWSGI master with workers that have rings. `sure`: its options could be read."""

    pid: int
    ini: str
    after_fork: bool
    stats: bool
    sure: bool


@dataclass(frozen=True, slots=True)
class PySpy:
    """`version` is empty where it does not start; `pid`: whom it was tried on, 0: nobody."""

    binary: str
    version: str
    failure: str
    pid: int
    reading_failure: str


@dataclass(frozen=True, slots=True)
class Collector:
    """`error`: why nothing answers. `token_status`: answer to a sending, 0: none was tried.

    `ahead_s`: this host's clock less the collector's, None where it sent no Date (good to 1 s).
    """

    url: str
    error: str
    status: int
    ahead_s: float | None
    token_file: str
    token_error: str
    token_status: int


@dataclass(frozen=True, slots=True)
class Spool:
    """`agent_pid` 0: no agent has written there; `silent_s`: since it last did."""

    folder: Folder
    agent_pid: int
    agent_lives: bool
    silent_s: float
    waiting_files: int
    waiting_bytes: int
    oldest_s: float
    rejected: int
    last_error: str


@dataclass(frozen=True, slots=True)
class Facts:
    """All of a host. `refused`: what of the ring folder cannot be read, and why."""

    kernel: Kernel
    shm: Folder
    ring_dir: Folder
    rings: tuple[RingFacts, ...]
    refused: tuple[str, ...]
    masters: tuple[Master, ...]
    py_spy: PySpy
    collector: Collector
    spool: Spool
