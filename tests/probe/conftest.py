"""Every test has its own ring folder, and what the probe swallows in production fails here."""

import os

import pytest

from dynoscope_probe import guard, process


def _reraise():
    raise  # noqa: PLE0704 - called inside the probe's except blocks


@pytest.fixture(autouse=True)
def ring_dir(tmp_path, monkeypatch):
    folder = tmp_path / "rings"
    for name in os.environ:
        if name.startswith("DYNOSCOPE_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("DYNOSCOPE_RING_DIR", str(folder))
    process.forget_process()
    guard.reraise_with(_reraise)
    yield folder
    guard.reraise_with(None)
    process.forget_process()
