"""The server sees of an application the same with the probe as without, whatever it does.

Applications are generated: how they start the response, what they return, where they fail, and how
much of it the server takes.
"""

import threading
import wsgiref.util
import wsgiref.validate
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import dynoscope_probe
from tests.probe.reading import read_rings

FAILURES = ("", "call", "iter", "next", "close")


@dataclass(frozen=True)
class Script:
    """What an application does. `fails`: where it raises; `at`: at which part."""

    statuses: tuple
    keywords: bool
    written: tuple
    kind: str
    parts: tuple
    fails: str
    at: int


PARTS = st.lists(st.binary(min_size=1, max_size=4), max_size=4).map(tuple)
SCRIPTS = st.builds(
    Script,
    statuses=st.lists(st.sampled_from(("200 OK", "404 No", "500 Oops")), max_size=2).map(tuple),
    keywords=st.booleans(),
    written=PARTS,
    kind=st.sampled_from(("list", "tuple", "generator", "object", "sized", "file")),
    parts=PARTS,
    fails=st.sampled_from(FAILURES),
    at=st.integers(0, 3),
)


class Response:
    """An iterable with close()."""

    def __init__(self, script, said):
        self.script, self.said = script, said

    def __iter__(self):
        if self.script.fails == "iter":
            raise LookupError("iter")
        return generated(self.script)

    def close(self):
        self.said.append("closed")
        if self.script.fails == "close":
            raise LookupError("close")


class Sized(Response):
    def __len__(self):
        return len(self.script.parts)


class File(Response):
    """What the server's own file wrapper is made of."""

    def read(self, size=-1):
        return b"".join(self.script.parts)


def generated(script):
    for number, part in enumerate(script.parts):
        if script.fails == "next" and number == script.at:
            raise LookupError("next")
        yield part


def application_of(script, said):
    def application(environ, start_response):
        write: Any = None
        for number, status in enumerate(script.statuses):
            headers = [("Content-Type", "text/plain"), ("X-Number", str(number))]
            error = (ValueError, ValueError("x"), None) if number else None
            if script.keywords:
                write = start_response(status=status, headers=headers, exc_info=error)
            else:
                write = start_response(status, headers, *([error] if number else []))
        for part in script.written if write else ():
            write(part)
        if script.fails == "call":
            raise LookupError("call")
        if script.kind in ("list", "tuple"):
            return {"list": list, "tuple": tuple}[script.kind](script.parts)
        if script.kind == "generator":
            return generated(script)
        return {"object": Response, "sized": Sized, "file": File}[script.kind](script, said)

    return application


def transcript(wrap, script, takes):
    """All that a server sees: what was said to it, in order; it takes at most so many parts."""
    said = []

    def start_response(status, headers, exc_info=None):
        said.append((status, headers, exc_info and exc_info[0]))
        return lambda part: said.append(("write", part))

    environ = {"REQUEST_METHOD": "GET", "wsgi.file_wrapper": File}
    response = None
    try:
        response = wrap(application_of(script, said))(environ, start_response)
        said.append(("length", len(response) if hasattr(response, "__len__") else None))
        said.append(("file", isinstance(response, File)))
        for number, part in enumerate(response):
            if number >= takes:
                break
            said.append(part)
    except LookupError as error:
        said.append(error.args)
    try:
        if hasattr(response, "close"):
            response.close()
    except LookupError as error:
        said.append(error.args)
    return said


@given(script=SCRIPTS, takes=st.integers(0, 5))
@settings(
    max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_the_server_sees_the_same(script, takes):
    bare = transcript(lambda application: application, script, takes)
    assert transcript(dynoscope_probe.wsgi, script, takes) == bare


CORRECT = st.builds(
    Script,
    statuses=st.sampled_from((("200 OK",), ("200 OK", "500 Oops"))),
    keywords=st.just(False),
    written=PARTS,
    kind=st.sampled_from(("list", "tuple", "generator", "object", "sized")),
    parts=PARTS,
    fails=st.just(""),
    at=st.just(0),
)


@given(script=CORRECT)
@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_the_validator_has_nothing_to_say(script):
    """On both sides of the probe."""
    check = wsgiref.validate.validator
    wrapped = check(dynoscope_probe.wsgi(check(application_of(script, []))))
    environ = {"SERVER_PROTOCOL": "HTTP/1.1", "QUERY_STRING": ""}
    wsgiref.util.setup_testing_defaults(environ)
    written = []
    response = wrapped(environ, lambda status, headers, exc_info=None: written.append)
    assert written + list(response) == [*script.written, *script.parts]
    response.close()


@pytest.mark.parametrize("kind", ["list", "generator", "object", "sized"])
def test_32_threads_see_the_same_each(ring_dir, kind):
    """Every thread has an application of its own behind one probe, which must keep them apart."""
    scripts = {
        number: Script(("200 OK",), False, (), kind, (b"%d" % number, b"x" * number), "", 0)
        for number in range(32)
    }
    expected = {n: transcript(lambda one: one, script, 9) for n, script in scripts.items()}
    mine = threading.local()
    wrapped = dynoscope_probe.wsgi(lambda *server: mine.application(*server))
    wrong = []

    def many(number):
        def use(application):
            mine.application = application
            return wrapped

        for _ in range(40):
            if transcript(use, scripts[number], 9) != expected[number]:
                wrong.append(number)

    threads = [threading.Thread(target=many, args=(number,)) for number in scripts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    (ring,) = read_rings(ring_dir)
    assert (ring.counters["written"], ring.in_flight) == (32 * 40, [])
