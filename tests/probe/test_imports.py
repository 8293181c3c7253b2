import importlib
import inspect
import sys

import pytest

from dynoscope_probe.imports import when_imported


@pytest.fixture
def module(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(tmp_path))
    name = "awaited_module"
    (tmp_path / f"{name}.py").write_text("value = 1\ndef function():\n    pass\n")
    importlib.invalidate_caches()
    yield name
    sys.modules.pop(name, None)
    sys.meta_path[:] = [f for f in sys.meta_path if type(f).__module__ != "dynoscope_probe.imports"]


def test_the_callback_comes_after_the_module_has_run(module):
    seen = []
    when_imported(module, lambda found: seen.append(found.value))
    when_imported(module, lambda found: seen.append("second"))
    assert seen == []
    imported = importlib.import_module(module)
    assert seen == [1, "second"]
    assert type(imported.__loader__).__name__ == type(imported.__spec__.loader).__name__
    assert type(imported.__loader__).__name__ == "SourceFileLoader"
    assert inspect.getsource(imported.function).startswith("def function")
    importlib.reload(imported)
    assert seen == [1, "second"]


def test_a_module_that_is_there_is_called_back_at_once(module):
    importlib.import_module(module)
    seen = []
    when_imported(module, seen.append)
    assert len(seen) == 1


def test_a_module_that_does_not_exist_is_still_missing(module):
    when_imported("no_such_module_at_all", print)
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("no_such_module_at_all")


def test_a_module_that_fails_fails_as_before(module, tmp_path):
    (tmp_path / "failing_module.py").write_text("1 / 0")
    seen = []
    when_imported("failing_module", seen.append)
    with pytest.raises(ZeroDivisionError):
        importlib.import_module("failing_module")
    assert seen == []
