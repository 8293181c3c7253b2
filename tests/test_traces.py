"""One trace from the request to the read API: probe, agent, collector, store, all real."""

import time
from pathlib import Path

import httpx

from tests.agent.test_around import BIN, free_port, running, wait_for
from tests.probe.answering import serving

TRACE_ID, CALLER = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
WITHIN_S = 180

ASKING = """
import urllib.request

def application(environ, start_response):
    with urllib.request.urlopen({url!r} + "/secret?key=1") as answer:
        body = answer.read()
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [body]
"""


def test_a_trace_from_the_request_to_the_answer(tmp_path: Path) -> None:
    port = free_port()
    command = [str(BIN / "gunicorn"), "-b", f"127.0.0.1:{port}", "asking:application"]
    with serving() as called:
        (tmp_path / "asking.py").write_text(ASKING.format(url=called.url))
        answer = asked(tmp_path, command, port)
    root, call = answer["data"]["spans"]
    assert (root["kind"], root["parent_id"], root["status"]) == ("request", CALLER, 200)
    assert (root["service"], root["endpoint"], root["offset_ns"]) == (
        "shop",
        "GET (unmatched)",
        0,
    )
    assert (call["kind"], call["name"]) == ("rpc", f"GET {called.name}")
    assert call["parent_id"] == root["span_id"]
    assert call["offset_ns"] > 0 and call["offset_ns"] + call["wall_ns"] <= root["wall_ns"]
    sent = {key.lower(): value for key, value in called.seen[-1][1].items()}
    assert sent["traceparent"] == f"00-{TRACE_ID}-{call['span_id']}-01"
    assert answer["unit"] == "ns" and not answer["truncated"]


def asked(folder: Path, command: list[str], port: int) -> dict:
    """What the read API says of the trace of one request to the app that `command` starts."""
    with running(folder, command) as (_, printed):
        address = wait_for(printed, r"dashboards at (\S+)")[1]
        wait_for_server(f"http://127.0.0.1:{port}/")
        header = {"traceparent": f"00-{TRACE_ID}-{CALLER}-01"}
        assert httpx.get(f"http://127.0.0.1:{port}/", headers=header).text == "ok"
        with httpx.Client(follow_redirects=True) as browser:
            assert browser.get(address).status_code == 200
            return spans_of(browser, f"{address.partition('?')[0]}v1/traces/{TRACE_ID}")


def wait_for_server(url: str) -> None:
    deadline = time.monotonic() + WITHIN_S
    while time.monotonic() < deadline:
        try:
            httpx.get(url, timeout=20)
            return
        except httpx.HTTPError:
            time.sleep(0.1)
    raise AssertionError(f"{url} does not answer")


def spans_of(browser: httpx.Client, url: str) -> dict:
    """The answer, once it has spans: the agent flushes every few seconds."""
    deadline = time.monotonic() + WITHIN_S
    while time.monotonic() < deadline:
        answer = browser.get(url)
        assert answer.status_code == 200, answer.text
        if answer.json()["data"]["spans"]:
            return dict(answer.json())
        time.sleep(0.2)
    raise AssertionError(f"no spans at {url}")
