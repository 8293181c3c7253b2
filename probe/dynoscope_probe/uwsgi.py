"""uWSGI: `import = dynoscope_probe.uwsgi` puts the probe around the application that it loads.

uWSGI runs `import` just before it loads the application, in the master or, with lazy-apps, in each
worker; so the callable is wrapped the moment its module has run. Applications that uWSGI mounts in
further interpreters are not reached: `single-interpreter = true`. The other way, for what this
does not know: `module = dynoscope_probe.uwsgi:application` with DYNOSCOPE_APP=module:callable.
"""

from __future__ import annotations

import functools
import os
import sys
from importlib import import_module
from types import FrameType, ModuleType
from typing import Any, Callable, Iterable, Optional

from dynoscope_probe import guard
from dynoscope_probe.imports import when_imported
from dynoscope_probe.middleware import wsgi

__all__: list[str] = []

_FILE_ENDINGS = (".py", ".wsgi")
#: uWSGI gives files that it loads itself such module names.
_FILE_MODULE = "uwsgi_file_"


def wrap_loaded(options: dict[str, Any]) -> None:
    """Have the application that uWSGI's options name wrapped once it is loaded."""
    default = next(iter(_texts(options, "callable")), "application")
    targets = _texts(options, "module", "wsgi")
    files = _texts(options, "wsgi-file", "file")
    for mounted in _texts(options, "mount"):
        target = mounted.partition("=")[2]
        (files if target.endswith(_FILE_ENDINGS) else targets).append(target)
    for target in targets:
        module, _, name = target.partition(":")
        when_imported(module, _wrapping(name or default))
    if files:
        _wrap_files(files, default)


def _texts(options: dict[str, Any], *names: str) -> list[str]:
    """An option's values: uWSGI has bytes, or a list of them where it is given several times."""
    values: list[Any] = []
    for name in names:
        value = options.get(name, [])
        values += value if isinstance(value, list) else [value]
    return [os.fsdecode(value) for value in values if isinstance(value, (bytes, str))]


def _wrapping(name: str) -> Callable[[ModuleType], None]:
    """A callback that wraps a module's callable: `application`, or what `create_app()` makes."""

    def wrap(module: ModuleType) -> None:
        _wrap_name(module.__dict__, name)

    return wrap


def _wrap_name(names: dict[str, Any], name: str) -> None:
    if name.endswith("()"):
        factory = names.get(name[:-2])
        if callable(factory):
            names[name[:-2]] = _wrapped_factory(factory)
    elif callable(names.get(name)):
        names[name] = wsgi(names[name])


def _wrapped_factory(factory: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(factory)
    def make(*arguments: Any, **named: Any) -> Any:
        return wsgi(factory(*arguments, **named))

    return make


def _wrap_files(files: Iterable[str], name: str) -> None:
    """Wrap the callable of a file, which uWSGI runs without the import system.

    The end of its run is seen by tracing calls until then: a few tenths of a second at start.
    """
    if sys.gettrace() is not None:
        return
    awaited = {os.path.basename(file) for file in files}

    def on_call(frame: FrameType, event: str, argument: Any) -> Any:
        code = frame.f_code
        if code.co_name != "<module>" or os.path.basename(code.co_filename) not in awaited:
            return None
        if not str(frame.f_globals.get("__name__")).startswith(_FILE_MODULE):
            return None
        frame.f_trace_lines = False
        return on_return

    def on_return(frame: FrameType, event: str, argument: Any) -> Any:
        if event == "return":
            awaited.discard(os.path.basename(frame.f_code.co_filename))
            if not awaited:
                sys.settrace(None)
            try:
                _wrap_name(frame.f_globals, name)
            except Exception:
                guard.swallowed()
        return on_return

    sys.settrace(on_call)


def _named_application() -> Optional[Any]:
    """The application that DYNOSCOPE_APP names, wrapped."""
    module, _, name = os.environ.get("DYNOSCOPE_APP", "").partition(":")
    return wsgi(getattr(import_module(module), name or "application")) if module else None


application = _named_application()
try:
    import uwsgi
except ImportError:  # imported elsewhere than in uWSGI
    pass
else:
    if application is None:
        wrap_loaded(uwsgi.opt)
