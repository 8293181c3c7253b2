import json

import pytest

import dynoscope_probe
from dynoscope_probe.errors import scrubbed
from tests.probe.reading import read_rings
from tests.probe.test_middleware import call


@pytest.mark.parametrize(
    ("message", "line"),
    [
        ("plain words", "plain words"),
        ("no user 'alice' or \"bob\"", "no user <value> or <value>"),
        ("mail to a.b+c@example.org failed", "mail to <email> failed"),
        ("id 12345 of 999", "id <number> of 999"),
        ("at 0x7f12ab and deadbeef01 but not facade", "at <hex> and <hex> but not facade"),
        ("in 2026", "in <number>"),
        ("row 123e4567-e89b-12d3-a456-426614174000", "row <hex>"),
        ("two\nlines\tand tabs", "two lines and tabs"),
        ("never 'closed", "never 'closed"),
    ],
)
def test_scrubbing(message, line):
    assert scrubbed(message) == line


def test_a_huge_message_is_short():
    assert len(scrubbed("word " * 1_000_000)) <= 300


def failing(make):
    def application(environ, start_response):
        make(environ["PATH_INFO"])

    wrapped = dynoscope_probe.wsgi(application)

    def fail(path):
        with pytest.raises(Exception):  # noqa: B017 - any that the test makes
            call(wrapped, path=path)

    return fail


def test_one_fingerprint_for_one_place_whatever_the_message(ring_dir):
    def make(path):
        if path == "/other":
            raise ValueError("other place")
        raise ValueError(f"value {path}")

    fail = failing(make)
    for path in ("/a", "/b", "/other"):
        fail(path)
    (ring,) = read_rings(ring_dir)
    prints = [record["error_fp"] for record in ring.records]
    assert prints[0] == prints[1] == prints[2] != 0
    texts = {ring.text(record["error_id"]) for record in ring.records}
    assert len(texts) == 1


def test_types_and_places_have_their_own(ring_dir):
    def elsewhere():
        raise ValueError("x")

    def make(path):
        if path == "/type":
            raise TypeError("x")
        if path == "/place":
            elsewhere()
        raise ValueError("x")

    fail = failing(make)
    for path in ("/", "/type", "/place"):
        fail(path)
    (ring,) = read_rings(ring_dir)
    assert len({record["error_fp"] for record in ring.records}) == 3


def test_frames_of_libraries_are_left_out(ring_dir):
    fail = failing(lambda path: json.loads("{"))
    fail("/")
    (ring,) = read_rings(ring_dir)
    kind, _, frames = ring.text(ring.records[0]["error_id"]).split("\x1f")
    assert kind == "JSONDecodeError"
    assert [frame.partition(":")[0] for frame in frames.split("\n")] == [__name__] * 2


def test_an_error_that_cannot_be_printed(ring_dir):
    class Unprintable(Exception):
        def __str__(self):
            raise RuntimeError

    def make(path):
        raise Unprintable

    failing(make)("/")
    (ring,) = read_rings(ring_dir)
    assert "Unprintable" in ring.text(ring.records[0]["error_id"])
