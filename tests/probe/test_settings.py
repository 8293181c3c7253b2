import os
import socket

import pytest

from dynoscope_probe.settings import is_enabled, read_settings


def test_defaults(tmp_path):
    (tmp_path / "shop").mkdir()
    settings = read_settings({}, str(tmp_path / "shop"))
    assert (settings.service, settings.host) == ("shop", socket.gethostname())
    assert (settings.release, settings.region) == ("", "")
    assert settings.ring_dir == "/dev/shm/dynoscope"
    assert (settings.ring_records, settings.counter, settings.bad) == (16384, "auto", 0)
    assert settings.user_hash_key == b""


def test_everything_can_be_said(tmp_path):
    key = tmp_path / "key"
    key.write_bytes(b"secret\n")
    settings = read_settings(
        {
            "DYNOSCOPE_SERVICE": "s",
            "DYNOSCOPE_HOST": "h",
            "DYNOSCOPE_REGION": "eu",
            "DYNOSCOPE_RELEASE": "r1",
            "DYNOSCOPE_RING_DIR": "/r",
            "DYNOSCOPE_RING_RECORDS": "64",
            "DYNOSCOPE_COUNTER": "cpu_ns",
            "DYNOSCOPE_USER_HASH_KEY_FILE": str(key),
            "DYNOSCOPE_ENABLED": "yes",
            "DYNOSCOPE_RING_DETAILS": "64",
            "DYNOSCOPE_SPAN_RATE": "0.5",
            "DYNOSCOPE_SPAN_SLOW_MS": "0",
            "DYNOSCOPE_TRACEPARENT": "off",
        },
        "/",
    )
    assert settings.user_hash_key == b"secret"
    assert (settings.service, settings.host, settings.region) == ("s", "h", "eu")
    assert (settings.release, settings.ring_dir) == ("r1", "/r")
    assert (settings.ring_records, settings.counter, settings.bad) == (64, "cpu_ns", 0)
    assert (settings.ring_details, settings.span_rate, settings.span_slow_ms) == (64, 0.5, 0)
    assert not settings.traceparent


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("RING_RECORDS", "many"),
        ("RING_RECORDS", "3"),
        ("RING_RECORDS", "99999999999"),
        ("RING_RECORDS", "-5"),
        ("COUNTER", "cycles"),
        ("USER_HASH_KEY_FILE", "/no/such/file"),
        ("USER_HASH_KEY_FILE", "/dev/null"),
        ("ENABLED", "perhaps"),
        ("RING_DETAILS", "63"),
        ("RING_DETAILS", "1e3"),
        ("SPAN_RATE", "often"),
        ("SPAN_RATE", "1.1"),
        ("SPAN_RATE", "-0.1"),
        ("SPAN_RATE", "nan"),
        ("SPAN_SLOW_MS", "-1"),
        ("SPAN_SLOW_MS", "1s"),
        ("TRACEPARENT", "perhaps"),
    ],
)
def test_a_bad_value_is_ignored_and_counted(name, value):
    settings = read_settings({f"DYNOSCOPE_{name}": value}, "/")
    assert settings.bad == 1
    assert (settings.ring_records, settings.counter) == (16384, "auto")
    assert (settings.ring_details, settings.span_rate, settings.span_slow_ms) == (8192, 0.001, 1000)
    assert settings.traceparent
    assert (settings.service, settings.user_hash_key) == ("app", b"")


def test_a_key_that_is_too_long_is_bad(tmp_path):
    key = tmp_path / "key"
    key.write_bytes(b"k" * 65)
    assert read_settings({"DYNOSCOPE_USER_HASH_KEY_FILE": str(key)}, "/").bad == 1


@pytest.mark.parametrize(
    ("value", "enabled"), [("1", True), ("0", False), ("False", False), ("off", False), ("?", True)]
)
def test_enabled(value, enabled):
    assert is_enabled({"DYNOSCOPE_ENABLED": value}) is enabled
    assert is_enabled({})


def test_a_key_file_that_is_an_idle_pipe_is_bad_and_nobody_waits_for_it(tmp_path):
    pipe = tmp_path / "key"
    os.mkfifo(pipe)
    environ = {"DYNOSCOPE_USER_HASH_KEY_FILE": str(pipe)}
    without_writer = read_settings(environ, "/")
    writer = os.open(pipe, os.O_RDWR)
    silent_writer = read_settings(environ, "/")
    os.close(writer)
    for settings in (without_writer, silent_writer):
        assert (settings.user_hash_key, settings.bad) == (b"", 1)
