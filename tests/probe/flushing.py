"""Drains a folder's rings as the agent does, without its threads, its spool and its sending."""

import time
from collections import Counter
from pathlib import Path

from agent.draining import drained, request_tables
from agent.requests import Identity
from agent.seen import Seen
from agent.spool import Cursor
from agent.workers import Workers

WHO = Identity("shop", "web-1", "eu")


class Agent:
    """What an agent's flushes do to the rings of a folder."""

    def __init__(self, folder):
        self.workers = Workers(Path(folder), Path("/proc"))
        self.cursors = {}
        self.losses = Counter()

    def look(self):
        """The request rows that are new."""
        now_ns = time.time_ns()
        self.workers.look(now_ns)
        found = []
        for ring_id, worker in self.workers.known.items():
            out = drained(worker, self.cursors.get(ring_id, Cursor(0, {})), WHO, Seen(), now_ns)
            self.cursors[ring_id] = out.cursor
            self.losses += out.losses
            tables, _ = request_tables({ring_id: out.served})
            found += [row for table in tables for row in table.to_pylist()]
        return found

    def in_flight(self):
        """Requests that workers are in, at this moment or shortly before."""
        rings = [worker.ring for worker in self.workers.known.values()]
        return [one for ring in rings for one in ring.in_flight()]
