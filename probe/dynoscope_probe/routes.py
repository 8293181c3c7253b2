"""Which route a request will take, asked of the framework before its own middleware runs."""

from __future__ import annotations

import sys
from typing import Any, Callable, Optional

from dynoscope_probe import guard
from dynoscope_probe.request import compiled_core

__all__ = ["Resolver", "install_django", "mounted", "resolver_of"]

#: environ -> (template with its mount point or None, what the framework may take for its answer)
Resolver = Callable[[dict[str, Any]], tuple[Optional[str], Any]]
#: Where middlewares keep the application that they wrap.
_INNER = ("application", "app", "wsgi_app", "_application", "__wrapped__", "__self__")
_DEPTH_MAX = 8


def resolver_of(application: Any) -> Resolver:
    """A function from environ to the route's template with its mount point, None if no route.

    Flask where a Flask application is found inside; else Django where its settings are configured.
    """
    flask = sys.modules.get("flask")
    found = _inner(application, flask.Flask) if flask is not None else None
    if found is not None:
        from dynoscope_probe.flask import install

        return _never_raising(_mounted(install(found)))
    if install_django():
        from dynoscope_probe.django_routes import early_answer

        return early_answer if compiled_core is not None else _never_raising(early_answer)
    return _no_route


def install_django() -> bool:
    """Hook into Django if this process uses it; whether it does."""
    conf = sys.modules.get("django.conf")
    if conf is None or not conf.settings.configured:
        return False
    from dynoscope_probe import django

    django.install()
    return True


def _inner(application: Any, kind: type) -> Any:
    """The first application of a type, through the middlewares around it."""
    for _ in range(_DEPTH_MAX):
        if isinstance(application, kind):
            return application
        attributes = getattr(application, "__dict__", {})
        following = next((attributes[name] for name in _INNER if name in attributes), None)
        application = following or getattr(application, "__self__", None)
        if application is None:
            return None
    return None


def mounted(route: str, mount: str) -> str:
    """The route beneath the prefix that the application is mounted at (empty or `/`: none)."""
    mount = mount.rstrip("/")
    return mount + "/" + route.lstrip("/^") if mount else route


def _mounted(resolve: Callable[[dict[str, Any]], Optional[str]]) -> Resolver:
    def route(environ: dict[str, Any]) -> tuple[Optional[str], Any]:
        found = resolve(environ)
        return found if found is None else mounted(found, environ.get("SCRIPT_NAME", "")), None

    return route


def _never_raising(resolve: Resolver) -> Resolver:
    def route(environ: dict[str, Any]) -> tuple[Optional[str], Any]:
        try:
            return resolve(environ)
        except Exception:
            guard.swallowed()
            return None, None

    return route


def _no_route(environ: dict[str, Any]) -> tuple[Optional[str], Any]:
    return None, None
