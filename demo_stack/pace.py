"""How many requests a second this machine can take without queueing."""

import statistics
import time
from collections.abc import Callable

import httpx

from demo_stack.processes import DemoError
from demo_stack.traffic import RATE_RPS

__all__ = ["affordable_rps", "feed_wall_s", "warm_up_s"]

#: A feed that takes no longer than this leaves room for `RATE_RPS`; a slower one for less.
FEED_WALL_S = 0.025
#: Below this there are too few requests to compare releases in minutes.
RATE_RPS_MIN = 10.0
WARM_UP = 8
#: A worker is warm after so many requests, or after so long; four share them.
WORKER_REQUESTS = 200
WORKER_S = 120.0
WORKERS = 4
REQUESTS = 25
ANSWER_S = 30.0


def affordable_rps(wall_s: float) -> float:
    """The rate in requests per second where one feed at a time takes `wall_s`."""
    return max(RATE_RPS_MIN, min(RATE_RPS, round(RATE_RPS * FEED_WALL_S / wall_s, 1)))


def warm_up_s(rate_rps: float) -> float:
    """How long a worker that was just started is compared only with other young ones, s."""
    return min(WORKER_S, WORKERS * WORKER_REQUESTS / rate_rps)


def feed_wall_s(url: str, clock: Callable[[], float] = time.monotonic) -> float:
    """Median time of one feed while nothing else is asked, s; the workers are warm afterwards."""
    walls_s = []
    with httpx.Client(base_url=url, timeout=ANSWER_S) as client:
        for number in range(WARM_UP + REQUESTS):
            begun_s = clock()
            try:
                response = client.get("/api/v1/feed/", headers={"X-User-Id": str(1 + number)})
            except httpx.HTTPError as error:
                raise DemoError(f"the feed does not answer: {error}") from error
            if response.status_code != 200:
                raise DemoError(f"the feed answers {response.status_code}")
            walls_s.append(clock() - begun_s)
    return statistics.median(walls_s[WARM_UP:])
