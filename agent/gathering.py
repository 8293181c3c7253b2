"""Numbers that take time to get (uWSGI, scraping, memory), in a thread of their own."""

import random
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Lock

from agent.cgroups import CGroups
from agent.limits import Limits
from agent.memory import Pacing
from agent.samples import WorkerView
from agent.scrape import Scraper
from agent.series import Series
from agent.uwsgi import UWSGI

__all__ = ["Gathering"]

#: Between two looks. Long enough that 2,000 scraped series stay a thousandth of a core.
EVERY_S = 15.0
SERIES_WAITING_MAX = 20_000


@dataclass(slots=True)
class Gathering:
    """One loop. The flush sets `workers` and takes what was gathered since."""

    limits: Limits
    proc_root: Path
    scraper: Scraper
    uwsgi: UWSGI
    every_s: float = EVERY_S
    workers: tuple[WorkerView, ...] = ()
    _memory: Pacing = field(init=False)
    _cgroups: CGroups = field(init=False)
    _series: list[Series] = field(default_factory=list)
    _lock: Lock = field(default_factory=Lock)

    def __post_init__(self) -> None:
        self._memory = Pacing(self.proc_root)
        self._cgroups = CGroups(self.proc_root)

    def run(self, stop: Event) -> None:
        """Gather until `stop` is set; agents that start together do not ask together."""
        while True:
            self.once()
            if stop.wait(self.every_s * random.uniform(0.9, 1.1)):
                return

    def once(self) -> None:
        """One look at everything."""
        workers = self.workers
        for part in (self.uwsgi, self._cgroups, self._memory):
            self._keep(part.read(workers))
        self._keep(self.scraper.read())

    def take(self) -> list[Series]:
        """What was gathered since the last `take`."""
        with self._lock:
            taken, self._series = self._series, []
        return taken

    def _keep(self, series: list[Series]) -> None:
        with self._lock:
            room = max(0, SERIES_WAITING_MAX - len(self._series))
            self.limits.add("series_dropped", len(series) - room)
            self._series += series[:room]
