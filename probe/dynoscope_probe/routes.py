"""Which route a request will take, asked of the framework before its own middleware runs."""

from __future__ import annotations

import sys
from typing import Any, Callable, Optional

from dynoscope_probe import guard

__all__ = ["Resolver", "install_django", "mounted", "resolver_of"]

Resolver = Callable[[dict[str, Any]], Optional[str]]
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
        from dynoscope_probe import django

        return _never_raising(_mounted(django.route))
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


def mounted(route: str, environ: dict[str, Any]) -> str:
    """The route beneath the prefix that the application is mounted at."""
    mount: str = environ.get("SCRIPT_NAME", "")
    return mount.rstrip("/") + "/" + route.lstrip("/^") if mount else route


def _mounted(resolve: Resolver) -> Resolver:
    def route(environ: dict[str, Any]) -> Optional[str]:
        found = resolve(environ)
        return found if found is None else mounted(found, environ)

    return route


def _never_raising(resolve: Resolver) -> Resolver:
    def route(environ: dict[str, Any]) -> Optional[str]:
        try:
            return resolve(environ)
        except Exception:
            guard.swallowed()
            return None

    return route


def _no_route(environ: dict[str, Any]) -> Optional[str]:
    return None
