import os

import pytest

from tests.pmu import machine

pytestmark = pytest.mark.pmu


def test_without_the_emulator_one_sentence_says_what_to_run(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(machine.MachineError, match="qemu-system-aarch64, .*`.ci/setup pmu`"):
        machine.prepare(tmp_path / "cache", print)


def test_without_a_network_one_sentence_says_so(tmp_path, monkeypatch):
    for name in ("http_proxy", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")  # nobody listens there
    said = []
    with pytest.raises(machine.MachineError, match="apt finds no linux-image-arm64"):
        machine.prepare(tmp_path, said.append)
    assert said == ["emulated machine: reading the arm64 package lists"]
    assert not (tmp_path / "recipe").exists()


def test_a_cache_of_another_recipe_is_made_anew(tmp_path, monkeypatch):
    monkeypatch.setattr(machine, "_command", lambda *_: (_ for _ in ()).throw(OSError("made anew")))
    (tmp_path / "recipe").write_text("another")
    with pytest.raises(OSError, match="made anew"):
        machine.prepare(tmp_path, print)


def test_a_machine_that_does_not_end_in_time_is_ended(measured, tmp_path):
    (tmp_path / "guest").mkdir()
    with pytest.raises(machine.MachineError, match="took over 1 s"):
        list(machine.run(machine.cache_folder(), tmp_path, "true", 1))
    children = f"/proc/{os.getpid()}/task/{os.getpid()}/children"
    with open(children) as file:
        assert file.read() == ""
