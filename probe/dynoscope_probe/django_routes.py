"""Django's routes: asked before its middleware, and not a second time while the answer holds.

The early answer names the endpoint's frame. Django takes it if urlconf, path, script prefix,
language and method are still what they were; otherwise Django resolves itself, and what follows
runs within a second frame, by the name that it found.
"""

from __future__ import annotations

import functools
import inspect
from contextvars import ContextVar
from types import FunctionType
from typing import Any, Callable, Optional

from django.conf import settings
from django.core.handlers.base import BaseHandler
from django.core.handlers.wsgi import get_path_info, get_script_name
from django.urls import (
    Resolver404,
    base,
    get_resolver,
    get_script_prefix,
    resolvers,
    set_urlconf,
)
from django.utils.translation import get_language

from dynoscope_probe import fast, guard
from dynoscope_probe.django_languages import depends_on_language
from dynoscope_probe.endpoint import async_endpoint_frame, endpoint_name, without_frames
from dynoscope_probe.request import HTTP, Request, compiled_core, current_request
from dynoscope_probe.routes import mounted

__all__ = ["early_answer", "install"]

#: `Request.routing` once Django has its answer; what is resolved later is another request's, made
#: within this one.
TAKEN = "taken"
_HERE = __file__
#: Django keeps the settings that were asked for in the instance, and empties it where they change.
_kept_settings = vars(settings)
_resolver_of = getattr(resolvers, "_get_cached_resolver", get_resolver)


class Answer:
    """What resolving gave: a match, or the exception that it raised."""

    __slots__ = (
        "error", "language", "match", "method", "path_info", "prefix", "resolver", "settled",
    )  # fmt: skip
    #: What an early one was asked.
    resolver: Any
    path_info: str
    prefix: str
    method: str
    language: Optional[str]
    match: Any
    error: Optional[Exception]
    #: Whether it is what Django would answer now.
    settled: bool

    def give(self, request: Any) -> Any:
        """End as Django's resolving ends: with the match, or raising."""
        error, self.error = self.error, None
        if error is not None:
            raise error
        request.resolver_match = self.match
        return self.match


def early_answer(environ: dict[str, Any]) -> tuple[Optional[str], Any]:
    """(template of the route that the root urlconf has for a request or None, the answer).

    Whatever else than Resolver404 is raised is not kept: Django will meet it itself.
    """
    answer = Answer()
    answer.match = answer.error = None
    answer.settled = False
    path = environ.get("PATH_INFO", "")
    answer.path_info = (path if path.isascii() else get_path_info(environ)) or "/"
    answer.prefix = prefix = _script_prefix(environ)
    answer.method = environ["REQUEST_METHOD"]
    answer.resolver = resolver = _root_resolver()
    answer.language = get_language() if depends_on_language(resolver) else None
    try:
        answer.match = match = resolver.resolve(answer.path_info)
        route = match.route if prefix == "/" else mounted(match.route, prefix)
    except Resolver404 as error:
        answer.error = error.with_traceback(None)
        route = None
    return route, answer


def install() -> None:
    """Have Django's handlers take early answers, also handlers that are made already."""
    resolve = BaseHandler.resolve_request
    routes = _compiled_routes(resolve)
    if routes is None:
        taking = _taking(resolve)
        enter = functools.partial(_second_frame, taking, resolve)
    else:
        taking = functools.update_wrapper(routes.taking(), resolve)
        enter = routes.entering(taking)
    BaseHandler.resolve_request = taking
    _run_through(BaseHandler._get_response, _stub, enter)
    _run_through(BaseHandler._get_response_async, _async_stub, _async_entering(enter))


def _compiled_routes(resolve: Callable[..., Any]) -> Any:
    """The same in C for requests that are as usual; None where there is no compiled part."""
    global Answer, early_answer
    if compiled_core is None:
        return None
    routes = fast.compiled().Routes(
        core=compiled_core,
        kept_settings=_kept_settings,
        resolver_of=_resolver_of,
        not_found=Resolver404,
        depends_on_language=depends_on_language,
        get_language=get_language,
        mounted=mounted,
        prefix_now=_prefix_now,
        prefix_var=_prefix_var(),
        early=early_answer,
        settled=_settled,
        second_frame=_second_frame,
        resolve=resolve,
        taken=TAKEN,
    )
    Answer = fast.compiled().Answer  # type: ignore[misc]
    early_answer = routes.early
    return routes


def _taking(resolve: Callable[..., Any]) -> Callable[..., Any]:
    """Django's `resolve_request`, which takes the answer that there is."""

    @functools.wraps(resolve)
    def resolve_request(self: Any, request: Any) -> Any:
        counted = current_request()
        if counted is None or counted.routing is TAKEN or counted.kind != HTTP:
            return resolve(self, request)
        answer = counted.routing
        if answer is None or not answer.settled:
            answer = _settled(counted, resolve, self, request)
        counted.routing = TAKEN
        return answer.give(request)

    return resolve_request


def _settled(counted: Request, resolve: Callable[..., Any], handler: Any, request: Any) -> Answer:
    """The early answer if it holds; else Django's own, which names the request."""
    try:
        early = counted.routing
        if early is not None and _still_holds(early, request):
            counted.count_naming()
            early.settled = True
            return early  # type: ignore[no-any-return]
    except Exception:
        guard.swallowed()
    answer = Answer()
    answer.match = answer.error = None
    answer.settled = True
    try:
        answer.match = resolve(handler, request)
    except Exception as error:
        answer.error = error
    try:
        route = None if answer.match is None else mounted(answer.match.route, get_script_prefix())
        name = endpoint_name(request.method, route)
        if name != counted.early_name:
            counted.name(name)
    except Exception:
        guard.swallowed()
    return answer


def _still_holds(early: Answer, request: Any) -> bool:
    """Whether Django, asked now, would answer the same."""
    if request.path_info != early.path_info or request.method != early.method:
        return False
    if _prefix_now() != early.prefix:
        return False
    if early.language is not None and get_language() != early.language:
        return False
    if not hasattr(request, "urlconf"):
        return _root_resolver() is early.resolver
    if get_resolver(request.urlconf) is not early.resolver:
        return False
    set_urlconf(request.urlconf)
    return True


def _root_resolver() -> Any:
    """As get_resolver(), but for what Django spends on reading a setting."""
    urlconf = _kept_settings.get("ROOT_URLCONF")
    return get_resolver() if urlconf is None else _resolver_of(urlconf)


def _is_prefix_forced() -> bool:
    prefix = _kept_settings.get("FORCE_SCRIPT_NAME", _kept_settings)
    return (settings.FORCE_SCRIPT_NAME if prefix is _kept_settings else prefix) is not None


def _prefix_reader() -> Callable[[], str]:
    """As get_script_prefix, but for the lock and the indirections of asgiref's Local around one
    context variable, where it is made as is known here."""
    storage = getattr(getattr(base, "_prefixes", None), "_storage", None)
    stored = getattr(type(storage), "_storage", None)
    if stored is None or not hasattr(stored(storage), "data"):
        return get_script_prefix  # type: ignore[no-any-return]

    def prefix() -> str:
        return stored(storage).data.get("value", "/")  # type: ignore[no-any-return]

    return prefix


def _prefix_var() -> Optional[ContextVar[Any]]:
    """The context variable that holds the prefix, tagged with its thread, where it is so."""
    if _prefix_now is get_script_prefix:
        return None
    storage = base._prefixes._storage
    var = getattr(storage, "_data", None)
    tagged = hasattr(storage._storage(), "thread_id")
    return var if tagged and isinstance(var, ContextVar) else None


def _script_prefix(environ: dict[str, Any]) -> str:
    """The script prefix that Django is about to set."""
    name: str = environ.get("SCRIPT_NAME", "")
    if (
        "SCRIPT_URL" in environ
        or "REDIRECT_URL" in environ
        or _is_prefix_forced()
        or not name.isascii()
    ):
        name = get_script_name(environ)
    return name if name.endswith("/") else name + "/"


def _run_through(method: Any, stub: Any, enter: Callable[[Any, Any], Any]) -> None:
    """Put the second frame, if `enter(handler, request)` gives one, around the inside of a handler.

    The handlers that are made already hold this very method, so its code is replaced.
    """
    method = inspect.unwrap(method)
    if method.__closure__ is not None:  # another's wrapper: requests are named without the frame
        return
    inside = FunctionType(method.__code__, method.__globals__, method.__name__, method.__defaults__)
    method.__defaults__ = enter, inside, _hide
    method.__code__ = stub.__code__.replace(co_name=method.__name__)


def _stub(self: Any, request: Any, enter: Any, inside: Any, hide: Any) -> Any:
    try:
        frame = enter(self, request)
        return inside(self, request) if frame is None else frame(inside, self, request)
    except BaseException as error:
        hide(error)
        raise


async def _async_stub(self: Any, request: Any, enter: Any, inside: Any, hide: Any) -> Any:
    try:
        frame = enter(self, request)
        return await (inside(self, request) if frame is None else frame(inside, self, request))
    except BaseException as error:
        hide(error)
        raise


def _async_entering(enter: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    def async_enter(handler: Any, request: Any) -> Any:
        frame = enter(handler, request)
        return None if frame is None else async_endpoint_frame(frame.__name__)

    return async_enter


def _second_frame(
    taking: Any, resolve: Any, handler: Any, request: Any
) -> Optional[Callable[..., Any]]:
    """Settle the answer; the frame to go on in if that changed the request's name."""
    counted = current_request()
    if counted is None or counted.routing is TAKEN or counted.kind != HTTP:
        return None
    if type(handler).resolve_request is not taking:  # it may do more than resolve
        return None
    frame = counted.frame
    counted.routing = _settled(counted, resolve, handler, request)
    return None if counted.frame is frame else counted.frame


def _hide(error: BaseException) -> None:
    """Take the frames of this file out of a traceback, so that error groups do not change."""
    error.__traceback__ = without_frames(error.__traceback__, _HERE)


_prefix_now = _prefix_reader()
