"""What an application meets of the probe's own troubles: nothing. Here they are swallowed, as in
production; the count of them is looked at."""

import copy
import mmap
import pickle

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import dynoscope_probe
from dynoscope_probe import guard
from dynoscope_probe.process import current_process
from dynoscope_probe.request import current_request
from tests.probe.reading import read_rings
from tests.probe.test_middleware import call, respond


@pytest.fixture(autouse=True)
def as_in_production(ring_dir):
    guard.reraise_with(None)


class Hostile:
    """Raises at whatever is done with it."""

    def __getattr__(self, name):
        raise RuntimeError(f"hostile {name}")


for special in ("hash", "eq", "str", "len", "bool", "iter"):
    setattr(Hostile, f"__{special}__", lambda *_: 1 // 0)
NAMES = (
    "REQUEST_METHOD", "PATH_INFO", "SCRIPT_NAME", "QUERY_STRING", "HTTP_TRACEPARENT",
    "HTTP_TRACESTATE", "wsgi.file_wrapper", "wsgi.input", "CONTENT_LENGTH",
)  # fmt: skip
WEIRD = st.one_of(
    st.none(),
    st.integers(),
    st.binary(max_size=8),
    st.text(st.characters(), max_size=8),
    st.lists(st.integers(), max_size=2),
    st.builds(Hostile),
    st.sampled_from(("00-" + "1" * 32 + "-" + "2" * 16 + "-01", "(", "\udcff", "<int:", "GET\0")),
)


@given(environ=st.dictionaries(st.sampled_from(NAMES), WEIRD))
@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_weird_environs_reach_the_application_as_they_are(environ):
    seen = []

    def application(environ, start_response):
        seen.append(environ)
        return respond(environ, start_response)

    given_environ = dict(environ)
    answer = dynoscope_probe.wsgi(application)(given_environ, lambda *_: None)
    assert seen == [given_environ] and seen[0] is given_environ
    assert answer == [b"answer"]


def test_after_weird_requests_the_next_ones_are_counted(ring_dir):
    wrapped = dynoscope_probe.wsgi(respond)
    for name in NAMES:
        wrapped({"REQUEST_METHOD": "GET", name: Hostile()}, lambda *_: None)
    call(wrapped)
    call(wrapped)
    (ring,) = read_rings(ring_dir)
    assert [record["status"] for record in ring.records[-2:]] == [200, 200]
    # Where only the naming failed, a request is both recorded and counted.
    assert len(ring.records) + ring.counters["probe_errors"] >= len(NAMES) + 2
    assert ring.in_flight == []


class Parts:
    """A response whose attributes raise, and which can be sent all the same."""

    __getattr__ = Hostile.__getattr__

    def __iter__(self):
        return iter([b"a", b"b"])


class Wrapper(type):
    def __instancecheck__(cls, instance):
        raise RuntimeError("hostile isinstance")


@pytest.mark.parametrize("wrapper", [None, open, Wrapper("Wrapper", (), {})])
def test_a_hostile_response_is_sent(ring_dir, wrapper):
    def application(environ, start_response):
        respond(environ, start_response)
        return Parts()

    environ = {"REQUEST_METHOD": "GET", "wsgi.file_wrapper": wrapper}
    response = dynoscope_probe.wsgi(application)(environ, lambda *_: None)
    assert [*response] == [b"a", b"b"]
    with pytest.raises(RuntimeError, match="hostile close"):  # as it would without the probe
        response.close()


@pytest.mark.parametrize("make", [bool, int, bytes, list, Hostile])
def test_a_status_that_is_no_text_is_the_servers_business(ring_dir, make):
    status, started = make(), []

    def application(environ, start_response):
        start_response(status, [])
        return iter([b"x"])

    response = dynoscope_probe.wsgi(application)(
        {"REQUEST_METHOD": "GET"}, lambda *a: started.append(a)
    )
    assert [*response] == [b"x"]
    response.close()
    assert started[0][0] is status
    (ring,) = read_rings(ring_dir)
    assert [record["status"] for record in ring.records] == [0]


class Unspeakable(Exception):
    def __str__(self):
        raise ValueError("no words")

    __repr__ = __str__


def test_an_error_that_cannot_be_told_leaves_as_it_came(ring_dir):
    def application(environ, start_response):
        raise Unspeakable

    with pytest.raises(Unspeakable):
        call(dynoscope_probe.wsgi(application))
    (ring,) = read_rings(ring_dir)
    assert [record["outcome"] for record in ring.records] == [1]


def test_what_the_application_says_with_hostile_values_is_no_trouble(ring_dir):
    def application(environ, start_response):
        dynoscope_probe.set_endpoint(Hostile())
        dynoscope_probe.set_user(Hostile())
        with dynoscope_probe.flag(Hostile(), Hostile()):
            return respond(environ, start_response)

    assert call(dynoscope_probe.wsgi(application))[2] == b"answer"
    (ring,) = read_rings(ring_dir)
    assert len(ring.records) == 1


def failing(environ, start_response):
    raise KeyError


@pytest.mark.parametrize("method", ["write", "begin", "end", "string_id", "endpoint_id", "count"])
def test_a_broken_ring_is_no_trouble(ring_dir, monkeypatch, method):
    wrapped = dynoscope_probe.wsgi(respond)
    call(wrapped)
    monkeypatch.setattr(current_process().ring, method, lambda *_, **__: 1 // 0)
    for path in ("/", "/other"):
        assert call(wrapped, path=path)[2] == b"answer"
        with pytest.raises(KeyError):
            call(dynoscope_probe.wsgi(failing))
    monkeypatch.undo()
    call(wrapped)
    assert current_request() is None


def test_a_ring_without_its_memory_is_no_trouble(ring_dir, monkeypatch):
    wrapped = dynoscope_probe.wsgi(respond)
    call(wrapped)
    memory = mmap.mmap(-1, mmap.PAGESIZE)
    memory.close()
    monkeypatch.setattr(current_process().ring, "_memory", memory)
    for _ in range(3):
        assert call(wrapped)[2] == b"answer"


def test_a_ring_file_that_is_removed_is_no_trouble(ring_dir):
    wrapped = dynoscope_probe.wsgi(respond)
    call(wrapped)
    for path in ring_dir.iterdir():
        path.unlink()
    ring_dir.rmdir()
    assert [call(wrapped)[2] for _ in range(3)] == [b"answer"] * 3


class Application:
    """Of a module, so that it can be pickled."""

    name = "shop"

    def __call__(self, environ, start_response):
        return respond(environ, start_response)


@pytest.mark.parametrize(
    "made", [copy.copy, copy.deepcopy, lambda a: pickle.loads(pickle.dumps(a))]
)
def test_a_wrapped_application_can_be_copied(ring_dir, made):
    copied = made(dynoscope_probe.wsgi(Application()))
    assert call(copied)[2] == b"answer"
    assert copied.name == "shop"
    with pytest.raises(AttributeError, match="no_such"):
        _ = copied.no_such


@pytest.mark.parametrize("make", [str, int, Hostile])
def test_what_is_no_application_comes_back_as_it_is(make):
    application = make()
    assert dynoscope_probe.wsgi(application) is application
