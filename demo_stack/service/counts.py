"""The service's own counts, by StatsD to the agent of its host."""

import os

from statsd import StatsClient

__all__ = ["counts"]

counts = StatsClient(
    "127.0.0.1", int(os.environ.get("PHOTOS_STATSD_PORT", "8125")), prefix="photos"
)
