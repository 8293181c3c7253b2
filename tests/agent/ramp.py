"""Open-loop load: requests at random times of a set rate, whatever the server does."""

import http.client
import random
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import numpy as np

TIMEOUT_S = 20.0
THREADS = 128


def latencies_s(url: str, per_s: float, seconds: float, seed: int) -> list[float]:
    """Seconds from when each request was due to its answer; TIMEOUT_S where none came."""
    rng = random.Random(seed)
    due, at = [], 0.0
    while (at := at + rng.expovariate(per_s)) < seconds:
        due.append(at)
    parts = urlsplit(url)
    path = f"{parts.path}?{parts.query}"
    began = time.monotonic()

    def ask(at: float) -> float:
        time.sleep(max(0.0, began + at - time.monotonic()))
        connection = http.client.HTTPConnection(parts.netloc, timeout=TIMEOUT_S)
        try:
            connection.request("GET", path)
            connection.getresponse().read()
        except (OSError, http.client.HTTPException):
            return TIMEOUT_S
        finally:
            connection.close()
        return time.monotonic() - began - at

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(ask, due))


def p99_ms(url: str, per_s: float, seconds: float, seed: int) -> float:
    """The P99 that clients see at a rate."""
    return 1000 * float(np.quantile(latencies_s(url, per_s, seconds, seed), 0.99))


def usual_p99_ms(url: str, per_s: float, seed: int) -> float:
    """The median of three tries of 4 s: one stall of the machine is no queue."""
    return float(np.median([p99_ms(url, per_s, 4, seed + at) for at in range(3)]))
