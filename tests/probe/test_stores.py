"""Redis and Memcached clients against real servers: counted once, named without keys or values."""

import os
import shutil
import sys

import pytest
import redis
from pymemcache.client.base import Client, PooledClient
from pymemcache.client.hash import HashClient
from pymemcache.exceptions import MemcacheClientError

import dynoscope_probe
from dynoscope_probe.trace import traceparent_of
from tests.probe.reading import records_in, spans_in
from tests.probe.serving import APPS, environment, free_port, get, server, wait_for_records
from tests.probe.test_middleware import call, respond

SAMPLED = traceparent_of((1, 2, 1, 0, 0), 3)


@pytest.fixture(scope="module")
def redis_port(tmp_path_factory):
    yield from running(tmp_path_factory, "redis-server", "--bind", "127.0.0.1", "--save", "")


@pytest.fixture(scope="module")
def memcached_port(tmp_path_factory):
    user = ["-u", "memcache"] if os.getuid() == 0 else []
    yield from running(tmp_path_factory, "memcached", "-l", "127.0.0.1", "-U", "0", *user)


def running(tmp_path_factory, name, *arguments):
    port, folder = free_port(), tmp_path_factory.mktemp(name)
    number = ["--port", str(port)] if name == "redis-server" else ["-p", str(port)]
    argv = [shutil.which(name) or name, *arguments, *number]
    with server(argv, environment(folder / "rings"), port, cwd=folder):
        yield port


def within(work):
    """Run `work` within a request whose spans are kept; its record, and names of its calls."""

    def application(environ, start_response):
        work()
        return respond(environ, start_response)

    call(dynoscope_probe.wsgi(application), HTTP_TRACEPARENT=SAMPLED)


def names(ring_dir):
    return [(kind, name) for kind, name, _ in spans_in(ring_dir)][1:]


def test_redis_commands_and_pipelines(ring_dir, redis_port):
    client = redis.Redis(port=redis_port)

    def work():
        client.set("secret:key", "value")
        assert client.get("secret:key") == b"value"
        assert client.execute_command("GET secret:key") == b"value"
        assert client.execute_command(b"GET", "secret:key") == b"value"
        with client.pipeline() as pipeline:
            assert pipeline.set("a", 1).get("a").execute() == [True, b"1"]
        client.config_get("port")

    within(work)
    ((_, record),) = records_in(ring_dir)
    assert record["cache_calls"] == 6
    assert 0 < record["cache_ns"] < record["wall_ns"]
    commands = ["SET", "GET", "GET", "GET", "pipeline", "CONFIG"]
    assert names(ring_dir) == [("cache", f"redis {command}") for command in commands]
    client.close()


def test_a_redis_command_that_fails_fails_as_before(ring_dir, redis_port):
    client = redis.Redis(port=redis_port)

    def work():
        with pytest.raises(redis.ResponseError, match="unknown command"):
            client.execute_command("no-such-command-" + "x" * 40)
        client.get("a")

    within(work)
    assert names(ring_dir) == [("cache", "redis (command)"), ("cache", "redis GET")]
    assert [span["outcome"] for _, _, span in spans_in(ring_dir)] == [0, 1, 0]
    client.close()


def test_redis_by_asyncio_under_an_asgi_server(ring_dir, redis_port):
    """Also commands that wait at the same time, each once; within one another they are not."""
    port = free_port()
    env = environment(ring_dir, REDIS_PORT=str(redis_port), DYNOSCOPE_SPAN_RATE="1")
    application = "tests.probe.apps.asgi_stores:application"
    argv = [sys.executable, "-m", "uvicorn", application, "--port", str(port)]
    with server(argv, env, port, cwd=str(APPS.parents[2])):
        assert get(port, "/") == (200, b"value value value 1 refused")
        wait_for_records(ring_dir, 1)
    ((_, record),) = records_in(ring_dir)
    assert record["cache_calls"] == 6
    assert record["cache_ns"] > 0
    (_, _, root), *spans = spans_in(ring_dir)
    assert {span["parent_id"] for _, _, span in spans} == {root["span_id"]}
    named = [(name, span["outcome"]) for _, name, span in spans]
    assert sorted(named) == sorted(
        [("redis SET", 0), *[("redis GET", 0)] * 3, ("redis pipeline", 0), ("redis (command)", 1)]
    )


@pytest.mark.parametrize("kind", [Client, PooledClient, HashClient])
def test_memcached_calls_count_once(ring_dir, memcached_port, kind):
    place = ("127.0.0.1", memcached_port)
    client = kind([place]) if kind is HashClient else kind(place)

    def work():
        client.set("secret-key", "value")
        assert client.get("secret-key") == b"value"
        assert client.get_many(["secret-key", "none"]) == {"secret-key": b"value"}
        with pytest.raises(MemcacheClientError):
            client.incr("secret-key", 1)

    within(work)
    ((_, record),) = records_in(ring_dir)
    assert record["cache_calls"] == 4
    assert [(name, span["outcome"]) for _, name, span in spans_in(ring_dir)[1:]] == [
        ("memcached set", 0), ("memcached get", 0), ("memcached get_many", 0),
        ("memcached incr", 1),
    ]  # fmt: skip
    client.close()


def test_outside_a_request_nothing_counts(ring_dir, redis_port):
    client = redis.Redis(port=redis_port)
    within(lambda: None)
    client.set("a", 1)
    assert records_in(ring_dir)[0][1]["cache_calls"] == 0
    client.close()


@pytest.mark.parametrize("backend", ["redis", "memcached"])
def test_djangos_cache_over_a_client_counts_once(ring_dir, redis_port, memcached_port, backend):
    locations = {
        "redis": ("redis.RedisCache", f"redis://127.0.0.1:{redis_port}"),
        "memcached": ("memcached.PyMemcacheCache", f"127.0.0.1:{memcached_port}"),
    }
    kind, location = locations[backend]
    port = free_port()
    env = environment(
        ring_dir,
        CACHE_BACKEND=f"django.core.cache.backends.{kind}",
        CACHE_LOCATION=location,
        DYNOSCOPE_SPAN_RATE="1",
    )
    argv = [sys.executable, "-m", "tests.probe.apps.django_cached", str(port)]
    with server(argv, env, port, cwd=str(APPS.parents[2])):
        assert get(port, "/cached/") == (200, b"1")
        wait_for_records(ring_dir, 1)
    ((endpoint, record),) = records_in(ring_dir)
    assert endpoint == "GET /cached/"
    assert record["cache_calls"] == 3
    assert names(ring_dir) == [
        ("cache", f"cache {method}") for method in ("set", "get_or_set", "get")
    ]
