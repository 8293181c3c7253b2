"""The OpenFeature hook, with the real SDK and its providers."""

import subprocess
import sys

import pytest
from openfeature import api
from openfeature.flag_evaluation import FlagResolutionDetails
from openfeature.hook import clear_hooks
from openfeature.provider import AbstractProvider, Metadata
from openfeature.provider.in_memory_provider import InMemoryFlag, InMemoryProvider

import dynoscope_probe
from dynoscope_probe.openfeature import FlagHook
from tests.probe.reading import read_rings
from tests.probe.test_middleware import call, respond

FLAGS = {
    "ranking": InMemoryFlag("new", {"new": "the new one", "old": "the old one"}),
    "beta": InMemoryFlag("on", {"on": True, "off": False}),
}


class WithoutVariants(AbstractProvider):
    """A provider that names no variants, as many home-made ones do."""

    def get_metadata(self):
        return Metadata("without variants")

    def _details(self, key, default, context=None):
        return FlagResolutionDetails(default)

    resolve_boolean_details = resolve_string_details = _details
    resolve_integer_details = resolve_float_details = resolve_object_details = _details


@pytest.fixture
def client():
    """`client(provider)`: a client of it, with the hook."""

    def made(provider):
        api.set_provider(provider)
        return api.get_client()

    api.add_hooks([FlagHook()])
    yield made
    clear_hooks()
    api.shutdown()


def flags_of(ring_dir, evaluate):
    """The flags on the record of a request that evaluates flags."""

    def application(environ, start_response):
        evaluate()
        return respond(environ, start_response)

    call(dynoscope_probe.wsgi(application))
    (ring,) = read_rings(ring_dir)
    text = ring.text(ring.records[-1]["flags_id"])
    return text.split("\x1f") if text else []


def test_evaluated_flags_are_on_the_record(ring_dir, client):
    flags = client(InMemoryProvider(FLAGS))

    def evaluate():
        assert flags.get_string_value("ranking", "") == "the new one"
        assert flags.get_boolean_value("beta", False) is True
        assert flags.get_boolean_value("beta", False) is True

    assert flags_of(ring_dir, evaluate) == ["beta=on", "ranking=new"]
    assert flags_of(ring_dir, lambda: None) == []


def test_a_flag_that_is_not_there_ran_with_its_default(ring_dir, client):
    flags = client(InMemoryProvider(FLAGS))
    found = flags_of(ring_dir, lambda: flags.get_integer_value("missing", 7))
    assert found == ["missing=7"]


def test_values_serve_where_there_are_no_variants(ring_dir, client):
    flags = client(WithoutVariants())

    def evaluate():
        flags.get_string_value("text", "v" * 1000)
        flags.get_float_value("number", 0.5)
        flags.get_boolean_value("switch", True)
        flags.get_object_value("object", {"password": "secret"})

    number, thing, switch, text = flags_of(ring_dir, evaluate)
    assert (number, switch) == ("number=0.5", "switch=True")
    assert text == "text=" + "v" * 63 + "…"
    assert thing.startswith("object=(dict ") and "secret" not in thing
    other = flags_of(ring_dir, lambda: flags.get_object_value("object", {"password": "other"}))
    assert other != [thing]


def test_outside_a_request_nothing_happens(ring_dir, client):
    assert client(InMemoryProvider(FLAGS)).get_boolean_value("beta", False) is True
    assert not ring_dir.exists()


def test_the_probe_itself_does_not_import_it():
    code = "import sys, dynoscope_probe.middleware; assert 'openfeature' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
