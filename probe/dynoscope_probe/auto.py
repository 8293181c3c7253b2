"""For `dynoscope run -- CMD`: the probe in any server's workers, by environment variables alone."""

from __future__ import annotations

import functools
import os
from types import ModuleType
from typing import Any, Mapping, Sequence

from dynoscope_probe.imports import when_imported
from dynoscope_probe.middleware import wsgi

__all__ = ["environment", "install"]

_AUTOLOAD = os.path.join(os.path.dirname(os.path.abspath(__file__)), "autoload")


def environment(command: Sequence[str], environ: Mapping[str, str]) -> dict[str, str]:
    """The environment in which to start `command`, so that its Python workers carry the probe.

    PYTHONPATH gets a folder with a sitecustomize module. uWSGI gets its two options: what it does
    not know of, or what is no Python, is left as it is.
    """
    paths = [_AUTOLOAD, *filter(None, [environ.get("PYTHONPATH", "")])]
    added = {"PYTHONPATH": os.pathsep.join(paths), "UWSGI_PY_CALL_OSAFTERFORK": "true"}
    name = "UWSGI_PY_IMPORT" if environ.get("UWSGI_IMPORT") else "UWSGI_IMPORT"
    if "dynoscope_probe.uwsgi" not in command:
        added[name] = "dynoscope_probe.uwsgi"
    return {**environ, **added}


def install() -> None:
    """Have servers other than uWSGI wrap the application that they load, once they are imported."""
    when_imported("gunicorn.app.base", _wrap_gunicorn)
    when_imported("wsgiref.simple_server", _wrap_wsgiref)
    when_imported("werkzeug.serving", _wrap_werkzeug)


def _wrap_gunicorn(module: ModuleType) -> None:
    application: Any = module.BaseApplication
    load = application.wsgi

    @functools.wraps(load)
    def loaded(self: Any) -> Any:
        self.callable = wsgi(load(self))
        return self.callable

    application.wsgi = loaded


def _wrap_wsgiref(module: ModuleType) -> None:
    """Also Django's `manage.py runserver`, whose server is one of wsgiref's."""
    server: Any = module.WSGIServer
    set_app = server.set_app

    @functools.wraps(set_app)
    def setting(self: Any, application: Any) -> None:
        set_app(self, wsgi(application))

    server.set_app = setting


def _wrap_werkzeug(module: ModuleType) -> None:
    """`flask run` and `app.run()`."""
    make_server = module.make_server

    @functools.wraps(make_server)
    def making(host: str, port: int, app: Any, *arguments: Any, **named: Any) -> Any:
        return make_server(host, port, wsgi(app), *arguments, **named)

    module.make_server = making  # type: ignore[attr-defined]
