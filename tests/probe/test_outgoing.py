"""Outgoing calls over real sockets: counted once, timed to the response's headers, traced."""

import asyncio
import contextlib
import http.client
import socket
import ssl
import subprocess
import urllib.error
import urllib.request

import httpx
import pytest
import requests
import urllib3

import dynoscope_probe
from dynoscope_probe.trace import trace_context, traceparent_of
from tests.probe.answering import SLOW_S, SlowRelay, serving
from tests.probe.reading import records_in, spans_in
from tests.probe.serving import free_port
from tests.probe.test_middleware import call, respond

TRACE = (0x0AF7651916CD43DD, 0x8448EB211C80319C, 1, 0, 0xB7AD6B7169203331)


@pytest.fixture
def target():
    with serving() as server:
        yield server


def within(work, *, kept=True, **environ):
    """Run `work` within a request; by default of a trace whose spans are kept."""

    def application(environ, start_response):
        work()
        return respond(environ, start_response)

    if kept:
        environ["HTTP_TRACEPARENT"] = traceparent_of(TRACE, TRACE[4])
    call(dynoscope_probe.wsgi(application), **environ)


def by_http_client(url, headers, method="GET"):
    host = url.split("/")[2]
    with contextlib.closing(http.client.HTTPConnection(host)) as connection:
        connection.request(method, "/" + url.split("/", 3)[3], headers=headers)
        response = connection.getresponse()
        response.read()
    return response.status


def by_urllib(url, headers, method="GET"):
    request = urllib.request.Request(url, headers=headers, method=method)
    with urllib.request.urlopen(request) as response:
        return response.status


def by_requests(url, headers, method="GET"):
    return requests.request(method, url, headers=headers).status_code


def by_urllib3(url, headers, method="GET"):
    with urllib3.PoolManager() as pool:
        return pool.request(method, url, headers=headers).status


def by_httpx(url, headers, method="GET"):
    return httpx.request(method, url, headers=headers).status_code


def by_async_httpx(url, headers, method="GET"):
    async def ask():
        async with httpx.AsyncClient() as client:
            return (await client.request(method, url, headers=headers)).status_code

    return asyncio.run(ask())


WAYS = [by_http_client, by_urllib, by_requests, by_urllib3, by_httpx, by_async_httpx]


@pytest.mark.parametrize("way", WAYS)
def test_a_call_counts_once_and_hands_the_trace_on(ring_dir, target, way):
    statuses = []
    within(lambda: statuses.append(way(f"{target.url}/secret?key=7", {}, "POST")))
    assert statuses == [200]
    ((_, record),) = records_in(ring_dir)
    assert record["rpc_calls"] == 1
    assert SLOW_S * 1e9 <= record["rpc_ns"] < record["wall_ns"]
    (_, _, root), (kind, name, span) = spans_in(ring_dir)
    assert (kind, name) == ("rpc", f"POST {target.name}")
    assert (span["status"], span["outcome"], span["parent_id"]) == (200, 0, root["span_id"])
    assert span["wall_ns"] == record["rpc_ns"]
    ((_, headers),) = target.seen
    sent = {key.lower(): value for key, value in headers.items()}["traceparent"]
    assert sent == traceparent_of(TRACE, span["span_id"])
    assert trace_context(sent, lambda _: 1, 0)[:4] == (*TRACE[:3], span["span_id"])


@pytest.mark.parametrize("way", WAYS)
def test_what_the_application_sends_itself_stays(ring_dir, target, way):
    own = traceparent_of((1, 2, 0, 0, 0), 3)
    within(lambda: way(f"{target.url}/", {"Traceparent": own}))
    ((_, headers),) = target.seen
    assert [v for k, v in headers.items() if k.lower() == "traceparent"] == [own]
    assert records_in(ring_dir)[0][1]["rpc_calls"] == 1


@pytest.mark.parametrize("way", WAYS)
def test_outside_a_request_nothing_is_added(ring_dir, target, way):
    within(lambda: None)  # the hooks are there
    assert way(f"{target.url}/", {}) == 200
    ((_, headers),) = target.seen
    assert "traceparent" not in {key.lower() for key in headers}
    assert records_in(ring_dir)[0][1]["rpc_calls"] == 0


@pytest.mark.parametrize("way", WAYS)
def test_a_server_error_is_an_error_of_the_call(ring_dir, target, way):
    def ask():
        try:
            assert way(f"{target.url}/500", {}) == 500
        except urllib.error.HTTPError as error:
            with error:
                assert error.code == 500

    within(ask)
    _, (_, _, span) = spans_in(ring_dir)
    assert (span["status"], span["outcome"]) == (500, 1)
    assert records_in(ring_dir)[0][1]["outcome"] == 0


FAILURES = (
    OSError,
    http.client.HTTPException,
    requests.RequestException,
    urllib3.exceptions.HTTPError,
    httpx.HTTPError,
)


@pytest.mark.parametrize("way", [by_http_client, by_urllib, by_requests, by_httpx, by_async_httpx])
@pytest.mark.parametrize("how", ["hang-up", "refused"])
def test_a_call_that_fails_raises_as_before_and_counts(ring_dir, target, way, how):
    url = f"{target.url}/hang-up" if how == "hang-up" else f"http://127.0.0.1:{free_port()}/"

    def ask():
        with pytest.raises(FAILURES):
            way(url, {})

    within(ask)
    ((_, record),) = records_in(ring_dir)
    assert record["rpc_calls"] == 1
    _, (kind, name, span) = spans_in(ring_dir)
    assert (kind, name, span["outcome"], span["status"]) == (
        "rpc",
        f"GET {url.split('/')[2]}",
        1,
        0,
    )


def test_each_of_several_tries_counts(ring_dir, target):
    pool = urllib3.PoolManager(retries=urllib3.Retry(2, backoff_factor=0))

    def ask():
        with pytest.raises(urllib3.exceptions.MaxRetryError):
            pool.request("GET", f"{target.url}/hang-up")

    within(ask)
    pool.clear()
    assert records_in(ring_dir)[0][1]["rpc_calls"] == len(target.seen) == 3


@pytest.mark.parametrize("way", [by_urllib, by_requests, by_urllib3, "httpx"])
def test_each_step_of_a_redirect_has_a_span_of_its_own(ring_dir, target, way):
    def follow():
        if way == "httpx":
            answer = httpx.get(f"{target.url}/moved", follow_redirects=True)
            assert "traceparent" not in answer.request.headers
        else:
            way(f"{target.url}/moved", {})

    within(follow)
    _, *calls = spans_in(ring_dir)
    assert [span["status"] for _, _, span in calls] == [302, 200]
    seen = [{k.lower(): v for k, v in headers.items()}["traceparent"] for _, headers in target.seen]
    ids = {span["span_id"] for _, _, span in calls}
    assert len(ids) == 2
    if way is not by_urllib:  # it copies the headers of a request to the next one
        assert {int(text[36:52], 16) for text in seen} == ids


def test_connections_that_live_on_are_counted_for_the_request_that_uses_them(ring_dir, target):
    session = requests.Session()
    for _ in range(3):
        within(lambda: session.get(f"{target.url}/"))
    session.get(f"{target.url}/")
    within(lambda: None)
    session.close()
    records = [record for _, record in records_in(ring_dir)]
    assert [record["rpc_calls"] for record in records] == [1, 1, 1, 0]


def test_the_connection_counts_also_where_a_library_makes_it_first(ring_dir, tmp_path):
    """urllib3 shakes hands over TLS before it begins its call; http.client in the middle of it."""
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-keyout", key,
         "-out", certificate, "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"],
        check=True, capture_output=True,
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with serving(context) as target, SlowRelay(target.server_port) as relay:
        url = f"https://127.0.0.1:{relay.port}/"
        within(lambda: requests.get(url, verify=str(certificate)))
        within(lambda: httpx.get(url, verify=ssl.create_default_context(cafile=certificate)))
    for _, record in records_in(ring_dir):
        assert record["rpc_calls"] == 1
        assert record["rpc_ns"] >= (SLOW_S + SlowRelay.DELAY_S) * 1e9


def test_behind_a_proxy_the_host_that_is_meant_names_the_call(ring_dir, target):
    proxies = {"http": target.url}
    within(lambda: requests.get("http://user:word@api.example.org:81/path", proxies=proxies))
    with httpx.Client(proxy=target.url) as client:
        within(lambda: client.get("http://api.example.org/path"))
    names = [name for kind, name, _ in spans_in(ring_dir) if kind == "rpc"]
    assert names == ["GET api.example.org:81", "GET api.example.org"]


def test_the_callers_tracestate_goes_along(ring_dir, target):
    within(lambda: by_urllib(f"{target.url}/", {}), HTTP_TRACESTATE="vendor=1,other=2")
    within(lambda: by_httpx(f"{target.url}/", {}), HTTP_TRACESTATE="vendor=1,other=2")
    within(lambda: by_urllib(f"{target.url}/", {}), HTTP_TRACESTATE="x=" + "y" * 512)
    within(lambda: by_urllib(f"{target.url}/", {}), kept=False, HTTP_TRACESTATE="vendor=1")
    states = [{k.lower(): v for k, v in seen.items()}.get("tracestate") for _, seen in target.seen]
    assert states == ["vendor=1,other=2", "vendor=1,other=2", None, None]


def test_the_trace_is_kept_to_oneself_if_so_set(ring_dir, target, monkeypatch):
    monkeypatch.setenv("DYNOSCOPE_TRACEPARENT", "0")
    within(lambda: (by_urllib(f"{target.url}/", {}), by_httpx(f"{target.url}/", {})))
    assert not [k for _, seen in target.seen for k in seen if k.lower().startswith("trace")]
    assert records_in(ring_dir)[0][1]["rpc_calls"] == 2


def test_a_body_that_cannot_be_sent_is_a_failed_call(ring_dir):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

        def body():
            yield b"x"
            raise OSError("the file is gone")

        def ask():
            connection = http.client.HTTPConnection("127.0.0.1", port)
            with pytest.raises(OSError, match="gone"):
                connection.request("POST", "/", body=body(), headers={"Content-Length": "9"})
            connection.close()
            with urllib3.PoolManager(retries=False) as pool, pytest.raises(FAILURES, match="gone"):
                pool.request("POST", f"http://127.0.0.1:{port}/", body=body())

        within(ask)
    _, *calls = spans_in(ring_dir)
    assert [(name, span["outcome"]) for _, name, span in calls] == [
        (f"POST 127.0.0.1:{port}", 1)
    ] * 2


def test_names_are_bounded(ring_dir, monkeypatch):
    from dynoscope_probe import calls

    monkeypatch.setattr(calls, "NAMES_MAX", 2)

    def ask():
        for number in range(2, 6):
            with pytest.raises(OSError):
                by_http_client(f"http://127.0.0.{number}:9/", {})
        with pytest.raises(OSError):
            by_http_client("http://127.0.0.2:9/", {}, "STEAL")

    within(ask)
    names = [name for kind, name, _ in spans_in(ring_dir) if kind == "rpc"]
    assert names == ["GET 127.0.0.2:9", "GET 127.0.0.3:9", *["(other)"] * 3]
