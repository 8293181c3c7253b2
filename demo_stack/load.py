"""Open-loop traffic with locust: each request leaves at its planned moment, answered or not.

python -m demo_stack.load --url http://127.0.0.1:8700 --seed 1 --rate 25 --seconds 60 --out DIR

Writes DIR/requests.jsonl, a line a request, and at the end (or on SIGTERM) DIR/summary.json. With
--to the rate rises, and the summary says at which rate the 99th percentile left --limit-ms. It is a
process of its own because locust replaces Python's sockets.
"""

import argparse
import json
import signal
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any, TextIO

import gevent
from gevent.pool import Pool
from locust import FastHttpUser
from locust.env import Environment

from demo_stack.arrivals import Arrival, rising, schedule
from demo_stack.photos import PhotoUpload, photo_uploads
from demo_stack.ramp import left_at_rps, steps

__all__ = ["main"]

OUTSTANDING_MAX = 400
ANSWER_S = 30.0


class Visitor(FastHttpUser):  # type: ignore[misc]
    """The connections of everybody: locust's client, driven by the plan."""

    abstract = False
    concurrency = OUTSTANDING_MAX
    connection_timeout = ANSWER_S
    network_timeout = ANSWER_S


class Traffic:
    """Sends a plan and writes down what came of it."""

    def __init__(self, visitor: Any, uploads: list[PhotoUpload], out: TextIO) -> None:
        self.client = visitor.client
        self.uploads = uploads
        self.out = out
        self.begun = time.monotonic()
        self.pool = Pool(OUTSTANDING_MAX)
        self.over_limit = 0
        self.late_ms_max = 0.0

    def run(self, plan: Iterator[Arrival]) -> None:
        """Send each request at its moment; what would exceed the limit is counted, not sent."""
        for arrival in plan:
            gevent.sleep(max(0.0, self.begun + arrival.at_s - time.monotonic()))
            late_ms = 1000 * (time.monotonic() - self.begun - arrival.at_s)
            self.late_ms_max = max(self.late_ms_max, late_ms)
            if self.pool.free_count() == 0:
                self.over_limit += 1
            else:
                self.pool.spawn(self._send, arrival)
        self.pool.join(timeout=ANSWER_S)

    def _send(self, arrival: Arrival) -> None:
        sent_s = time.monotonic() - self.begun
        response = self._request(arrival)
        done_s = time.monotonic() - self.begun
        line = {
            "kind": arrival.kind,
            "planned_s": round(arrival.at_s, 4),
            "sent_s": round(sent_s, 4),
            "wall_ms": round(1000 * (done_s - sent_s), 2),
            # 0: no answer
            "status": response.status_code,
        }
        self.out.write(json.dumps(line) + "\n")

    def _request(self, arrival: Arrival) -> Any:
        # Everybody comes once: a connection of their own.
        headers = {"X-User-Id": str(arrival.user), "Connection": "close"}
        api = "/api/v1"
        get = {
            "feed": f"{api}/feed/",
            "media": f"{api}/media/{arrival.subject}/",
            "profile": f"{api}/users/user-{arrival.subject}/",
            "search": f"{api}/search/?q={arrival.word.replace('#', '%23')}",
        }
        post = {
            "like": f"{api}/media/{arrival.subject}/like/",
            "follow": f"{api}/users/{arrival.subject}/follow/",
        }
        if arrival.kind in get:
            return self.client.get(get[arrival.kind], headers=headers, name=arrival.kind)
        if arrival.kind in post:
            return self.client.post(post[arrival.kind], headers=headers, name=arrival.kind)
        upload = self.uploads[arrival.subject - 1]
        headers["Content-Type"] = upload.content_type
        url = f"{api}/media/"
        return self.client.post(url, data=upload.body, headers=headers, name=arrival.kind)


def main() -> None:
    """Send the plan, bounded in time, and write the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rate", type=float, default=25.0, help="requests per second")
    parser.add_argument("--to", type=float, help="requests per second at the end")
    parser.add_argument("--limit-ms", type=float, default=500.0)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    Visitor.host = options.url
    environment = Environment(user_classes=[Visitor], catch_exceptions=False)
    # It is the runner that adds requests up.
    environment.create_local_runner()
    visitor = Visitor(environment)
    with (options.out / "requests.jsonl").open("w", buffering=1) as out:
        traffic = Traffic(visitor, photo_uploads(options.seed), out)
        plan = schedule(options.seed, options.rate, options.seconds)
        if options.to:
            plan = rising(options.seed, options.rate, options.to, options.seconds)
        sending = gevent.spawn(traffic.run, plan)
        gevent.signal_handler(signal.SIGTERM, sending.kill)
        gevent.signal_handler(signal.SIGINT, sending.kill)
        sending.get()
    _write_summary(options.out / "summary.json", environment, traffic, options)


def _write_summary(
    path: Path, environment: Environment, traffic: Traffic, options: argparse.Namespace
) -> None:
    """Counts and latencies by kind of request, as locust has them."""
    kinds = {
        entry.name: {
            "requests": entry.num_requests,
            "failures": entry.num_failures,
            "wall_ms_p50": entry.get_response_time_percentile(0.5),
            "wall_ms_p99": entry.get_response_time_percentile(0.99),
        }
        for entry in environment.stats.entries.values()
    }
    summary = {
        "seed": options.seed,
        "rate_rps": options.rate,
        "seconds": round(time.monotonic() - traffic.begun, 1),
        "requests": environment.stats.total.num_requests,
        "failures": environment.stats.total.num_failures,
        # More would mean that the plan was not kept.
        "late_ms_max": round(traffic.late_ms_max, 1),
        "over_limit": traffic.over_limit,
        "kinds": kinds,
        **(_ramp(path.with_name("requests.jsonl"), options) if options.to else {}),
    }
    path.write_text(json.dumps(summary, indent=1))


def _ramp(path: Path, options: argparse.Namespace) -> dict[str, Any]:
    with path.open() as lines:
        found = steps(map(json.loads, lines), options.rate, options.to, options.seconds)
    return {
        "to_rps": options.to,
        "limit_ms": options.limit_ms,
        "p99_left_at_rps": left_at_rps(found, options.limit_ms),
        "steps": [asdict(one) for one in found],
    }


if __name__ == "__main__":
    main()
