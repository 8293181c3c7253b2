"""Found on PYTHONPATH before the interpreter's own sitecustomize, which it runs as well.

The probe is imported from where this file lies, also where it is not installed.
"""

from __future__ import annotations

import importlib.machinery
import importlib.util
import os
import sys
from importlib.machinery import ModuleSpec
from typing import Any

_HERE = os.path.dirname(os.path.abspath(__file__))
_PACKAGE = os.path.dirname(_HERE)


class _ProbeFinder:
    """Finds the one package `dynoscope_probe`, where nothing else does."""

    @staticmethod
    def find_spec(name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        if name != "dynoscope_probe":
            return None
        return importlib.machinery.PathFinder.find_spec(name, [os.path.dirname(_PACKAGE)])


def _run_next_sitecustomize() -> None:
    paths = [path for path in sys.path if os.path.abspath(path or ".") != _HERE]
    spec = importlib.machinery.PathFinder.find_spec("sitecustomize", paths)
    if spec is not None and spec.loader is not None:
        module = importlib.util.module_from_spec(spec)
        sys.modules["sitecustomize"] = module
        spec.loader.exec_module(module)


def _install() -> None:
    try:
        sys.meta_path.append(_ProbeFinder)
        from dynoscope_probe import auto

        auto.install()
    except Exception:  # an interpreter that the probe does not know; the application runs on
        pass


_install()
_run_next_sitecustomize()
