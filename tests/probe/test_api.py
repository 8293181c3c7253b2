import json
import subprocess
import sys
from hashlib import blake2b

import dynoscope_probe
from dynoscope_probe import request
from tests.probe.reading import read_rings
from tests.probe.test_middleware import call, respond


def test_what_is_exported_is_what_is_there():
    assert dynoscope_probe.__all__ == ["asgi", "flag", "set_endpoint", "set_user", "wsgi"]
    assert all(callable(getattr(dynoscope_probe, name)) for name in dynoscope_probe.__all__)


def test_importing_changes_nothing():
    code = """
import gc, json, os, signal, sys, threading
def state():
    handlers = [str(signal.getsignal(number)) for number in signal.valid_signals()]
    return [repr(sys.meta_path), threading.active_count(), str(sys.gettrace()),
        str(sys.getprofile()), str(sys.excepthook), handlers, len(gc.callbacks),
        dict(os.environ), len(os.listdir("/proc/self/fd"))]
before = state()
import dynoscope_probe
unchanged = before == state()
third_party = {name.partition(".")[0] for name in sys.modules} - set(sys.stdlib_module_names)
print(json.dumps([unchanged, sorted(third_party - {"__main__"})]))
"""
    package = dynoscope_probe.__file__.rpartition("/dynoscope_probe/")[0]
    argv, env = [sys.executable, "-S", "-c", code], {"PYTHONPATH": package}
    told = subprocess.run(argv, env=env, check=True, capture_output=True, text=True).stdout
    assert json.loads(told) == [True, ["dynoscope_probe"]]


def test_what_the_application_says_is_recorded(ring_dir, tmp_path, monkeypatch):
    (tmp_path / "key").write_text("secret")
    monkeypatch.setenv("DYNOSCOPE_USER_HASH_KEY_FILE", str(tmp_path / "key"))

    def application(environ, start_response):
        dynoscope_probe.set_endpoint("graphql Feed")
        dynoscope_probe.set_user(42)
        with dynoscope_probe.flag("ranking", "new"), dynoscope_probe.flag("beta", True):
            return respond(environ, start_response)

    call(dynoscope_probe.wsgi(application))
    (ring,) = read_rings(ring_dir)
    (record,) = ring.records
    assert ring.text(record["endpoint_id"]) == "graphql Feed"
    assert ring.text(record["flags_id"]) == "beta=True\x1franking=new"
    digest = blake2b(b"42", digest_size=8, key=b"secret").digest()
    assert record["user_hash"] == int.from_bytes(digest, "little")


def test_without_a_key_there_is_no_user(ring_dir):
    def application(environ, start_response):
        dynoscope_probe.set_user("alice")
        return respond(environ, start_response)

    call(dynoscope_probe.wsgi(application))
    assert read_rings(ring_dir)[0].records[0]["user_hash"] == 0


def test_outside_a_request_nothing_happens(ring_dir):
    dynoscope_probe.set_endpoint("a")
    dynoscope_probe.set_user("b")
    with dynoscope_probe.flag("c", "d"):
        pass
    assert not ring_dir.exists()


def test_flags_are_bounded(ring_dir):
    def application(environ, start_response):
        for number in range(request.FLAGS_MAX + 9):
            with dynoscope_probe.flag(f"f{number}", 1):
                pass
        return respond(environ, start_response)

    call(dynoscope_probe.wsgi(application))
    (ring,) = read_rings(ring_dir)
    assert len(ring.text(ring.records[0]["flags_id"]).split("\x1f")) == request.FLAGS_MAX


def test_long_and_unprintable_flags_are_cut_and_cleaned(ring_dir):
    def application(environ, start_response):
        with dynoscope_probe.flag("n" * 65, "v" * 10_000), dynoscope_probe.flag("a\x1fb\n", "\0"):
            return respond(environ, start_response)

    call(dynoscope_probe.wsgi(application))
    (ring,) = read_rings(ring_dir)
    flags = ring.text(ring.records[0]["flags_id"]).split("\x1f")
    assert flags == ["a b = ", "n" * 63 + "…=" + "v" * 63 + "…"]


def test_an_exception_leaves_a_flag_as_it_came(ring_dir):
    try:
        with dynoscope_probe.flag("a", 1):
            raise KeyError("x")
    except KeyError as error:
        assert error.args == ("x",)
