"""`dynoscope capacity` against a real ramp: uWSGI with the probe, an agent, a collector."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner

from collector.client import ask
from collector.pool_command import advise, capacity
from collector.tokens import load_or_make_tokens
from tests.agent.processes import until
from tests.agent.ramp import p99_ms, usual_p99_ms
from tests.agent.test_command import agent_process
from tests.agent.uwsgi_server import uwsgi
from tests.collector.test_exactly_once import collector


@contextmanager
def platform(folder: Path, processes: int) -> Iterator[tuple[str, list[str]]]:
    """(the application's address, the flags of the commands that ask)."""
    load_or_make_tokens(folder)
    rings, spool = folder / "rings", folder / "spool"
    rings.mkdir(mode=0o700)
    stats = ["--py-call-osafterfork", "--stats", str(folder / "stats.sock")]
    with (
        collector(folder, "0") as (_, url),
        uwsgi(rings, *stats, app="sized_app", processes=processes) as app,
        agent_process(rings, spool, url, "--token-file", str(folder / "ingest.token")),
    ):
        yield app, ["--url", url, "--token-file", str(folder / "read.token")]


def asked(command, flags, *more):
    result = CliRunner().invoke(command, [*flags, *more, "--json"])
    assert result.exit_code == 0, result.output
    return json.loads(result.output)["data"]


def measured(folder: Path, flags: list[str], requests: int) -> None:
    """Wait until so many requests and the workers' numbers are in the store."""
    url, token = flags[1], folder / "read.token"

    def there() -> bool:
        rows = ask(url, token, "advice", {})["data"]
        return (
            bool(rows)
            and rows[0]["requests"] >= requests
            and all(
                one["state"] != "not measured"
                for one in rows[0]["advice"]
                if one["setting"] in ("threads", "listen", "gc.freeze before fork")
            )
        )

    until(there, 60)


def estimate(folder: Path, app: str, flags: list[str], limit_ms: float):
    """Capacity after some time of little load."""
    p99_ms(app, 25, 11, seed=1)
    measured(folder, flags, 250)
    (found,) = asked(capacity, flags, "--limit-ms", str(limit_ms))
    assert found["per_s"] is not None, found["says"]
    return found


@pytest.mark.alone  # it measures CPU
def test_the_estimate_is_near_the_rate_at_which_a_real_ramp_leaves_the_slo(tmp_path):
    """Workers that wait, so that what others do on the machine matters little: a factor of 1.6."""
    with platform(tmp_path, 4) as (app, flags):
        url = f"{app}?0.5&20"
        found = estimate(tmp_path, url, flags, 250)
        assert found["per_s_now"] < found["per_s"] < found["per_s_most"], found
        below = usual_p99_ms(url, found["per_s"] / 1.6, seed=2)
        above = p99_ms(url, found["per_s"] * 1.6, 5, seed=5)
    assert below < 250 < above, found


@pytest.mark.long
@pytest.mark.alone  # it measures CPU
def test_what_computes_is_not_promised_too_much(tmp_path):
    """The estimate leaves others on the machine what they use, so it may be far too low here."""
    with platform(tmp_path, 2) as (app, flags):
        url = f"{app}?6&0"
        found = estimate(tmp_path, url, flags, 1000)
        below = usual_p99_ms(url, found["per_s"] / 2, seed=2)
    assert 0 < found["per_s"] <= found["per_s_most"]
    assert below < 1000, found


def test_advice_rests_on_what_the_agent_measured(tmp_path):
    with platform(tmp_path, 2) as (app, flags):
        p99_ms(f"{app}?0.5&5", 40, 6, seed=4)
        measured(tmp_path, flags, 100)
        (host,) = asked(advise, flags)
        as_text = CliRunner().invoke(advise, flags)
        bad = CliRunner().invoke(capacity, [*flags, "--limit-ms", "-1"])
    found = {one["setting"]: one for one in host["advice"]}
    assert (host["service"], host["host"]) == ("shop", "web-1")
    numbers = found["processes"]["numbers"]
    assert (numbers["workers"], found["listen"]["numbers"]["listen"]) == (2, 100)
    assert numbers["cores"] >= 1 and numbers["memory_bound"] > 1
    assert 0.3 < numbers["cpu_ms"] < numbers["wall_ms"]
    assert 1 < numbers["private_max_mb"] < 500 and numbers["shared_mb"] > 1
    assert found["max-requests"]["state"] == "not measured"
    assert "2 minutes" in found["max-requests"]["reason"]
    assert "shop on web-1" in as_text.output and "processes" in as_text.output
    assert bad.exit_code == 2 and "limit_ms is '-1'" in bad.output
