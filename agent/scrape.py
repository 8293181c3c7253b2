"""Prometheus text of other people's exporters becomes rows of `metrics` (--scrape URL)."""

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException, HTTPResponse
from urllib.parse import urlsplit

from agent.errors import AgentError
from agent.limits import Limits
from agent.series import Increases, Series

__all__ = ["Scraper", "checked_targets", "fetched", "series_of"]

ANSWER_BYTES_MAX = 4 << 20
TIMEOUT_S = 3.0
ANSWER_S_MAX = 5.0
SERIES_MAX = 2_000
LABELS_MAX = 16
LABEL_CHARACTERS_MAX = 200
#: Samples of a histogram or summary that only rise, by their ending.
_RISING = ("_bucket", "_count", "_sum", "_total")


@dataclass(slots=True)
class Scraper:
    """Asks every target in turn. What is left out is counted."""

    targets: Sequence[str]
    limits: Limits
    #: target -> why it gave nothing the last time
    failures: dict[str, str] = field(default_factory=dict)
    _increases: Increases = field(default_factory=Increases)

    def read(self) -> list[Series]:
        """One look at every target."""
        series: list[Series] = []
        self.failures = {}
        for target in self.targets:
            try:
                text = fetched(target)
                found, left_out = series_of(text, _label(target), self._increases)
            except (OSError, HTTPException, ValueError, KeyError) as error:
                self.limits.add("scrapes_failed")
                self.failures[target] = f"{target}: {error or type(error).__name__}"
                continue
            self.limits.add("scrape_series_over", left_out)
            series += found
        return series


def checked_targets(urls: Sequence[str]) -> tuple[str, ...]:
    """The URLs as they are; raises AgentError for one that is none."""
    for url in urls:
        parts = urlsplit(url)
        try:
            whole = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
        except ValueError:  # a port that is no number
            whole = False
        if not whole:
            raise AgentError(
                f"--scrape {url}: give a whole address, such as http://127.0.0.1:9100/metrics"
            )
    return tuple(urls)


def fetched(url: str) -> str:
    """The text behind a URL; raises OSError, HTTPException or ValueError. Follows nothing."""
    parts = urlsplit(url)
    connection = _connection(parts.scheme, parts.hostname or "", parts.port)
    deadline = time.monotonic() + ANSWER_S_MAX
    try:
        path = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
        connection.request("GET", path, headers={"Accept": "text/plain;version=0.0.4"})
        response = connection.getresponse()
        if response.status != 200:
            raise ValueError(f"answered with {response.status}")
        return _body(response, deadline).decode("utf-8", "replace")
    finally:
        connection.close()


def series_of(text: str, target: str, increases: Increases) -> tuple[list[Series], int]:
    """Series of one exposition, and how many samples there was no room for.

    Counters, and the counts and sums of histograms, become their increase; raises ValueError for
    what is no Prometheus text.
    """
    from prometheus_client.parser import text_string_to_metric_families  # only with --scrape

    text, left_out = _bounded(text)
    series: list[Series] = []
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            if not math.isfinite(sample.value) or sample.name.endswith("_created"):
                continue
            if len(sample.labels) > LABELS_MAX:
                left_out += 1
                continue
            labels = _labels(sample.labels, target)
            value: float | None = sample.value
            kind = "gauge"
            if _rises(family.type, sample.name):
                kind, value = "counter", increases.of((sample.name, labels), sample.value)
            if value is not None:
                series.append(Series(sample.name, kind, "", labels, value, "scrape"))
    return series, left_out


def _connection(scheme: str, host: str, port: int | None) -> HTTPConnection:
    if scheme == "https":
        from http.client import HTTPSConnection  # 3 MB of TLS, for those who need it

        return HTTPSConnection(host, port, timeout=TIMEOUT_S)
    return HTTPConnection(host, port, timeout=TIMEOUT_S)


def _body(response: HTTPResponse, deadline: float) -> bytes:
    raw = bytearray()
    while part := response.read1(65_536):
        raw += part
        if len(raw) > ANSWER_BYTES_MAX:
            raise ValueError(f"answers with more than {ANSWER_BYTES_MAX} bytes")
        if time.monotonic() > deadline:
            raise ValueError(f"takes longer than {ANSWER_S_MAX:.0f} s")
    return bytes(raw)


def _bounded(text: str) -> tuple[str, int]:
    """The text up to SERIES_MAX samples, and how many come after: parsing is what costs."""
    samples, lines = 0, text.splitlines(keepends=True)
    for at, line in enumerate(lines):
        samples += line.strip()[:1] not in ("", "#")
        if samples > SERIES_MAX:
            left = sum(rest.strip()[:1] not in ("", "#") for rest in lines[at:])
            return "".join(lines[:at]), left
    return text, 0


def _rises(family: str, name: str) -> bool:
    if family in ("histogram", "summary"):
        return name.endswith(_RISING)
    return family == "counter"


def _labels(labels: dict[str, str], target: str) -> tuple[str, ...]:
    pairs = [f"{name}={value[:LABEL_CHARACTERS_MAX]}" for name, value in labels.items()]
    return tuple(sorted([*pairs, f"target={target}"]))


def _label(url: str) -> str:
    """What a target is called in labels: without user, password and query."""
    parts = urlsplit(url)
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.hostname}{port}{parts.path}"
