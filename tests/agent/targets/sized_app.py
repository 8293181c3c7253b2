"""A probed uWSGI application: each request takes CPU and waits, exponentially spread.

Query string: `<mean CPU ms>&<mean wait ms>`; the two halves of the CPU lie around the wait.
"""

import random
import time

import dynoscope_probe

RANDOM = random.Random()


def compute(seconds):
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        for _ in range(50):
            pass


def view(environ, start_response):
    cpu_ms, _, wait_ms = environ.get("QUERY_STRING", "").partition("&")
    cpu_s = RANDOM.expovariate(1) * float(cpu_ms or 0) / 1000
    wait_s = RANDOM.expovariate(1) * float(wait_ms or 0) / 1000
    compute(cpu_s / 2)
    if wait_s:
        time.sleep(wait_s)
    compute(cpu_s / 2)
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"ok"]


application = dynoscope_probe.wsgi(view)
