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
from tests.agent.ramp import p99_ms
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


@pytest.mark.parametrize(
    ("query", "processes", "limit_ms", "factor"),
    [
        pytest.param("0.5&20", 4, 250, 1.6, id="workers-wait"),
        pytest.param("6&0", 2, 250, 2.0, id="workers-compute", marks=pytest.mark.long),
    ],
)
def test_the_estimate_is_near_the_rate_at_which_a_real_ramp_leaves_the_slo(
    tmp_path, query, processes, limit_ms, factor
):
    with platform(tmp_path, processes) as (app, flags):
        url = f"{app}?{query}"
        p99_ms(url, 15, 25, seed=1)
        measured(tmp_path, flags, 250)
        (found,) = asked(capacity, flags, "--limit-ms", str(limit_ms))
        assert found["per_s_now"] < found["per_s"] < found["per_s_most"], found
        below = p99_ms(url, found["per_s"] / factor, 12, seed=2)
        above = p99_ms(url, found["per_s"] * factor, 12, seed=3)
    assert below < limit_ms < above, found


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
