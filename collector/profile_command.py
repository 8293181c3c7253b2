"""`dynoscope profile`: asks for deep profiles of an endpoint, waits for them, shows them."""

import difflib
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from collector.client import AskError, ask, default_data_dir, post
from collector.profile_report import profile_report

__all__ = ["profile"]

EXIT_UNANSWERED = 2
LOOK_EVERY_S = 1.0
#: So long after the last new profile the rest is not waited for: it went to other workers.
QUIET_S = 45.0


@click.command(epilog="Example: dynoscope profile 'GET /api/v1/feed/' --requests 20")
@click.argument("endpoint")
@click.option("--requests", default=20, show_default=True, help="Requests to profile on each host.")
@click.option("--service", default="", help="Service; needed when several send data.")
@click.option("--wait-s", default=600.0, show_default=True, help="Longest wait, s.")
@click.option("--url", default="http://127.0.0.1:8600", show_default=True, help="Collector.")
@click.option("--token-file", type=click.Path(path_type=Path), help="Read token [data folder's].")
@click.option(
    "--admin-token-file", type=click.Path(path_type=Path), help="Admin token [data folder's]."
)
@click.option("--json", "as_json", is_flag=True, help="Print the API's answer.")
def profile(
    endpoint: str,
    requests: int,
    service: str,
    wait_s: float,
    url: str,
    token_file: Path | None,
    admin_token_file: Path | None,
    as_json: bool,
) -> None:
    """Profile some requests of an endpoint, and show what each function costs.

    The requests of ENDPOINT, such as 'GET /feed/', that workers serve next run under a profiler.
    """
    folder = default_data_dir()
    reader = token_file or folder / "read.token"
    try:
        name = service or _only_service(url, reader)
        _check_endpoint(url, reader, name, endpoint)
        wish = post(
            url,
            admin_token_file or folder / "admin.token",
            "profiles",
            {"service": name, "endpoint": endpoint, "requests": requests},
        )
        answer = _wait(url, reader, wish, wait_s, lambda text: click.echo(text, err=True))
    except AskError as error:
        click.echo(f"profile: {error}", err=True)
        sys.exit(EXIT_UNANSWERED)
    if as_json:
        click.echo(json.dumps(answer, indent=2))
    else:
        Console(highlight=False, width=None if sys.stdout.isatty() else 150).print(
            profile_report(answer["data"])
        )


def _wait(
    url: str, token_file: Path, wish: dict[str, Any], wait_s: float, say: Callable[[str], None]
) -> dict[str, Any]:
    """The profile once its requests are there, or what came until nothing more does."""
    words = {key: str(wish[key]) for key in ("service", "endpoint")}
    words["from"] = _rfc3339(wish["asked_ms"])
    words["to"] = _rfc3339(wish["expires_s"] * 1000)
    say(f"asked for {wish['requests']} requests of {wish['endpoint']} on each host of the service")
    started_s = news_s = time.monotonic()
    seen, found = 0, {}
    while time.monotonic() - started_s < wait_s:
        found = ask(url, token_file, "profiles", words)
        count = found["data"]["requests"]
        if count != seen:
            seen, news_s = count, time.monotonic()
            say(f"{count} of {wish['requests']}")
        if count >= wish["requests"] or (count and time.monotonic() - news_s > QUIET_S):
            return found
        time.sleep(LOOK_EVERY_S)
    if not seen:
        raise AskError(
            f"no request of {wish['endpoint']} was profiled within {wait_s:g} s: does it get "
            "requests, and do the agents of its hosts run? A name that only the application knows "
            "cannot be asked for; profiles that another profiler prevented are in `limits`"
        )
    return found


def _only_service(url: str, token_file: Path) -> str:
    names = [row["service"] for row in ask(url, token_file, "services", {})["data"]]
    if len(names) != 1:
        what = f"--service is needed: one of {', '.join(names)}" if names else "no service yet"
        raise AskError(what)
    return str(names[0])


def _check_endpoint(url: str, token_file: Path, service: str, endpoint: str) -> None:
    answer = ask(url, token_file, "endpoints", {"service": service, "from": "-1d"})
    known = [row["endpoint"] for row in answer["data"]]
    if endpoint not in known:
        near = difflib.get_close_matches(endpoint, known, 3, 0.3) or known[:3]
        raise AskError(
            f"{service} has had no requests of {endpoint!r} within a day; "
            f"it has {', '.join(map(repr, near)) or 'none at all'}"
        )


def _rfc3339(moment_ms: int) -> str:
    whole_s, ms = divmod(moment_ms, 1000)
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(whole_s)) + f".{ms:03d}Z"
