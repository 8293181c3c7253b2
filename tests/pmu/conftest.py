"""Boots the emulated machine once and gives each experiment's numbers to the tests."""

import json
import shutil
import time
from pathlib import Path

import pytest

import dynoscope_probe
from tests.pmu import machine

ROOT = Path(__file__).parents[2]
#: What goes into the guest, which has CPython's standard library and nothing else.
GUEST_FILES = (
    "tests/__init__.py",
    "tests/probe/__init__.py",
    "tests/probe/reading.py",
    "tests/pmu/__init__.py",
    *(str(path.relative_to(ROOT)) for path in sorted(ROOT.glob("tests/pmu/guest/*.py"))),
    # The gate's measuring half, which is of the standard library alone.
    "alerting/__init__.py",
    "profiler/__init__.py",
    *(str(path.relative_to(ROOT)) for path in sorted(ROOT.glob("alerting/gate/**/*.py"))),
    "alerting/gate/inside/shim.c",
    *(str(path.relative_to(ROOT)) for path in sorted(ROOT.glob("profiler/gate/*.py"))),
)
EXPERIMENTS = "python3 -m tests.pmu.guest.experiments"
BOOT_S = 580


@pytest.fixture(scope="session")
def say(request):
    """Prints a line past pytest's capture: a boot takes a while."""
    capture = request.config.pluginmanager.getplugin("capturemanager")

    def say(text):
        with capture.global_and_fixture_disabled():
            print(text, flush=True)

    return say


@pytest.fixture(scope="session")
def measured(tmp_path_factory, say):
    """{experiment: its numbers}, measured in the emulated machine."""
    cache = machine.cache_folder()
    try:
        machine.prepare(cache, say)
        return _measured(cache, tmp_path_factory.mktemp("pmu"), say)
    except machine.MachineError as error:
        pytest.fail(str(error), pytrace=False)


def _measured(cache, folder, say):
    _copy_guest(folder / "guest")
    started = time.monotonic()
    say("\nemulated machine: booting")
    found = {}
    said = []
    for line in machine.run(cache, folder, EXPERIMENTS, BOOT_S):
        if line.startswith('{"experiment"'):
            numbers = json.loads(line)
            found[numbers.pop("experiment")] = numbers
            say(f"emulated machine: {list(found)[-1]} after {time.monotonic() - started:.0f} s")
        else:
            said.append(line)
    assert found, said
    return found


def _copy_guest(guest):
    for name in GUEST_FILES:
        (guest / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, guest / name)
    probe = Path(dynoscope_probe.__file__).parent
    shutil.copytree(probe, guest / probe.name, ignore=shutil.ignore_patterns("__pycache__"))
    machine.compile_for_guest(*(path.parent for path in guest.rglob("__init__.py")))
