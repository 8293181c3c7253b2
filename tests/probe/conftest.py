"""Every test has its own ring folder, and what the probe swallows in production fails here."""

import os

import pytest

from dynoscope_probe import guard, process, request


def _reraise():
    raise  # noqa: PLE0704 - called inside the probe's except blocks


@pytest.fixture(autouse=True)
def ring_dir(tmp_path, monkeypatch):
    folder = tmp_path / "rings"
    for name in os.environ:
        if name.startswith("DYNOSCOPE_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("DYNOSCOPE_RING_DIR", str(folder))
    monkeypatch.setenv("DYNOSCOPE_SPAN_RATE", "0")  # not one test in a thousand by chance
    _forget()
    guard.reraise_with(_reraise)
    yield folder
    guard.reraise_with(None)
    _forget()


def _forget():
    process.forget_process()
    if request.compiled_core is not None:
        request.compiled_core.forget()
