"""A service's workers on one host, as they were measured: what advice and capacity rest on."""

from dataclasses import dataclass, field

__all__ = ["NOT_MEASURED", "Pool"]

NOT_MEASURED = float("nan")


@dataclass(frozen=True, slots=True)
class Pool:
    """nan where a number was not measured. Requests' numbers are means per request, in ns."""

    service: str
    host: str
    #: how long it was looked at, and how many requests ended in that time
    seconds: float
    requests: float
    #: requests a second in the busiest minute
    peak_per_s: float
    wall_ns: float
    #: squared coefficient of variation: variance over squared mean
    wall_cv2: float
    cpu_ns: float
    cpu_cv2: float
    #: in the database, caches and outgoing calls
    outside_ns: float
    gc_ns: float = NOT_MEASURED
    #: worker processes, and threads of each
    workers: float = NOT_MEASURED
    threads: float = NOT_MEASURED
    #: of all threads of all workers: how many were in a request, at the mean and at most
    busy_mean: float = NOT_MEASURED
    busy_max: float = NOT_MEASURED
    #: cores that the workers may use; share of the host's cores that was in use by all, 0..1
    cores: float = NOT_MEASURED
    host_cpu_share: float = NOT_MEASURED
    #: threads of the host, these workers' among them, that ran or waited for a core (load average)
    host_running: float = NOT_MEASURED
    #: what the workers may use of the machine's (or their cgroup's) memory, and what is used of it
    memory_bytes: float = NOT_MEASURED
    memory_used_bytes: float = NOT_MEASURED
    #: of one worker: pages of its own (mean, largest, when it was young), pages shared with others
    private_bytes: float = NOT_MEASURED
    private_max_bytes: float = NOT_MEASURED
    private_first_bytes: float = NOT_MEASURED
    shared_bytes: float = NOT_MEASURED
    growth_bytes_per_request: float = NOT_MEASURED
    listen_queue_max: float = NOT_MEASURED
    listen_queue_room: float = NOT_MEASURED
    listen_queue_errors: float = NOT_MEASURED
    respawns_per_h: float = NOT_MEASURED
    #: wall times of the requests that were asked for: bucket (profiler.histogram) -> number
    wall_hist: dict[int, float] = field(default_factory=dict)

    @property
    def per_s(self) -> float:
        return self.requests / self.seconds if self.seconds else NOT_MEASURED

    @property
    def slots(self) -> float:
        """How many requests can be served at a time."""
        return self.workers * self.threads
