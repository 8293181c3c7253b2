"""Django resolves once where nothing changed on the way, and as it would without the probe."""

import sys
import traceback

import pytest
from django.core.signals import got_request_exception

import dynoscope_probe
from dynoscope_probe.django_languages import depends_on_language
from tests.probe.apps import django_app  # noqa: F401 - configures Django
from tests.probe.reading import records_in
from tests.probe.test_middleware import call

URLS = "tests.probe.apps.django_routes_urls"
HERE = "tests.probe.test_django_routes"
LOCALE = "django.middleware.locale.LocaleMiddleware"


def note_frames(get_response):
    from tests.probe.apps.django_routes_urls import note

    def middleware(request):
        note("middleware")
        return get_response(request)

    return middleware


def changing(change):
    """A middleware that changes something about the request."""

    def factory(get_response):
        def middleware(request):
            change(request)
            return get_response(request)

        return middleware

    return factory


def _other_prefix(request):
    from django.urls import set_script_prefix

    set_script_prefix("/other/")


other_urlconf = changing(lambda request: setattr(request, "urlconf", OTHER))
same_urlconf = changing(lambda request: setattr(request, "urlconf", URLS))
no_urlconf = changing(lambda request: setattr(request, "urlconf", None))
rewritten = changing(lambda request: setattr(request, "path_info", "/noted/8/"))
put = changing(lambda request: setattr(request, "method", "PUT"))
other_prefix = changing(_other_prefix)
OTHER = "tests.probe.apps.django_other_urls"


class ViewMiddleware:
    """Notes what view middleware is given."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        return self.get_response(request)

    def process_view(self, request, callback, arguments, named):
        from tests.probe.apps.django_routes_urls import note, seen

        seen.append(("callback", callback, named))
        note("process_view")


def answered_early(get_response):
    from django.http import HttpResponse

    return lambda request: HttpResponse(b"early", status=403)


@pytest.fixture
def site():
    """`site(middleware...)` makes a site of such; the list of what happened is at `site.seen`."""
    from django.test import override_settings
    from django.utils import translation

    from tests.probe.apps.django_routes_urls import seen

    overridden = []

    def make(*middleware, probed=True, **more):
        names = [f"{HERE}.{name}" if "." not in name else name for name in middleware]
        override = override_settings(
            ROOT_URLCONF=more.pop("ROOT_URLCONF", URLS),
            MIDDLEWARE=names,
            LANGUAGES=[("en", "English"), ("de", "German")],
            TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates"}],
            **more,
        )
        override.enable()
        overridden.append(override)
        from django.core.handlers.wsgi import WSGIHandler

        handler = WSGIHandler()
        return dynoscope_probe.wsgi(handler) if probed else handler

    make.seen = seen
    seen.clear()
    translation.deactivate()
    yield make
    translation.deactivate()
    for override in reversed(overridden):
        override.disable()


def frames(site, word):
    (found,) = [entry[1] for entry in site.seen if entry[0] == word]
    return found


def asked(site):
    return [entry[1] for entry in site.seen if entry[0] == "converter"]


def names(ring_dir):
    return [endpoint for endpoint, _ in records_in(ring_dir)]


def test_django_takes_the_early_answer(ring_dir, site):
    application = site("note_frames")
    assert call(application, path="/noted/7/")[0] == "200 OK"
    assert asked(site) == ["7"]
    assert frames(site, "middleware") == frames(site, "view") == ["GET /noted/<number>/"]
    assert names(ring_dir) == ["GET /noted/<number>/"]


def test_each_request_has_a_match_of_its_own(site):
    application = site()
    for _ in range(3):
        call(application, path="/noted/7/")
    matches = [entry for entry in site.seen if entry[0] == "match"]
    assert [entry[3] for entry in matches] == [{"number": 7}] * 3
    bare = site(probed=False)
    site.seen.clear()
    call(bare, path="/noted/7/")
    shared = [entry[2] for entry in site.seen if entry[0] == "match"]
    assert [entry[2] for entry in matches] == shared * 3


def test_a_language_that_a_middleware_sets(ring_dir, site):
    """The early answer is 404; Django serves the page, in a second frame. The next one knows."""
    application = site(LOCALE, "note_frames")
    german = {"HTTP_ACCEPT_LANGUAGE": "de"}
    assert call(application, path="/de/about/", **german)[0] == "200 OK"
    assert frames(site, "middleware") == ["GET (unmatched)"]
    assert frames(site, "view") == ["GET (unmatched)", "GET /de/about/"]
    site.seen.clear()
    assert call(application, path="/de/about/", **german)[0] == "200 OK"
    assert frames(site, "view") == frames(site, "middleware") == ["GET /de/about/"]
    assert call(application, path="/en/about/")[0] == "200 OK"
    assert call(application, path="/de/nowhere/", **german)[0] == "404 Not Found"
    assert names(ring_dir) == [
        "GET /de/about/", "GET /de/about/", "GET /en/about/", "GET (unmatched)",
    ]  # fmt: skip


def test_a_language_that_changed_is_asked_again(site):
    application = site(LOCALE)
    call(application, path="/noted/7/", HTTP_ACCEPT_LANGUAGE="de")
    assert asked(site) == ["7", "7"]
    call(application, path="/noted/7/", HTTP_ACCEPT_LANGUAGE="de")
    assert asked(site) == ["7", "7", "7"]


def test_another_urlconf(ring_dir, site):
    application = site("note_frames", "other_urlconf")
    assert call(application, path="/noted/7/")[0] == "200 OK"
    assert frames(site, "middleware") == ["GET /noted/<number>/"]
    assert frames(site, "view") == ["GET /noted/<number>/", "GET /noted/<other>/"]
    assert call(application, path="/burning/1/")[0] == "404 Not Found"
    assert names(ring_dir) == ["GET /noted/<other>/", "GET (unmatched)"]


@pytest.mark.parametrize(("middleware", "urlconf"), [("same_urlconf", URLS), ("no_urlconf", None)])
def test_the_same_urlconf_by_name(site, middleware, urlconf):
    call(site(middleware), path="/noted/7/")
    assert asked(site) == ["7"]
    assert [entry[4] for entry in site.seen if entry[0] == "match"] == [urlconf]


@pytest.mark.parametrize(
    ("middleware", "converted", "endpoint"),
    [
        ("rewritten", ["7", "8"], "GET /noted/<number>/"),
        ("put", ["7", "7"], "PUT /noted/<number>/"),
        ("other_prefix", ["7", "7"], "GET /other/noted/<number>/"),
    ],
)
def test_what_a_middleware_changes_is_asked_again(ring_dir, site, middleware, converted, endpoint):
    assert call(site(middleware), path="/noted/7/")[0] == "200 OK"
    assert asked(site) == converted
    assert names(ring_dir) == [endpoint]


def test_a_script_name_is_part_of_the_name(ring_dir, site):
    application = site()
    call(application, path="/noted/7/", SCRIPT_NAME="/shop")
    call(application, path="/noted/7/", SCRIPT_URL="/mall/noted/7/")
    call(application, path="/noted/7/", SCRIPT_NAME="/caf\xc3\xa9")
    assert asked(site) == ["7", "7", "7"]
    shop = site(FORCE_SCRIPT_NAME="/forced")
    call(shop, path="/noted/7/", SCRIPT_NAME="/shop")
    assert asked(site) == ["7", "7", "7", "7"]
    assert names(ring_dir) == [
        "GET /shop/noted/<number>/", "GET /mall/noted/<number>/", "GET /café/noted/<number>/",
        "GET /forced/noted/<number>/",
    ]  # fmt: skip


def test_a_dispatcher_in_between(ring_dir, site):
    """WSGI middleware that moves a part of the path into SCRIPT_NAME, as mounts do."""
    inner = site(probed=False)

    def dispatching(environ, start_response):
        moved = {"SCRIPT_NAME": "/shop", "PATH_INFO": environ["PATH_INFO"][len("/shop") :]}
        return inner({**environ, **moved}, start_response)

    application = dynoscope_probe.wsgi(inner)
    application._application = dispatching
    assert call(application, path="/shop/noted/7/")[0] == "200 OK"
    assert frames(site, "view") == ["GET (unmatched)", "GET /shop/noted/<number>/"]
    assert names(ring_dir) == ["GET /shop/noted/<number>/"]


def test_view_middleware_is_given_the_view(site):
    from tests.probe.apps.django_routes_urls import view

    call(site("other_urlconf", "ViewMiddleware"), path="/noted/7/")
    assert [entry[1] for entry in site.seen if entry[0] == "callback"] == [view]
    assert frames(site, "process_view")[-1] == "GET /noted/<other>/"


def test_rendering_after_the_view_runs_in_the_second_frame(site):
    call(site(LOCALE), path="/de/rendering/", HTTP_ACCEPT_LANGUAGE="de")
    assert frames(site, "render") == ["GET (unmatched)", "GET /de/rendering/"]


def test_a_request_that_a_view_makes_has_no_say(ring_dir, site):
    assert call(site(), path="/calling/")[2] == b"seen"
    assert frames(site, "view") == ["GET /calling/"]
    assert names(ring_dir) == ["GET /calling/"]


def test_an_answer_that_nobody_takes_stays_with_its_request(ring_dir, site):
    assert call(site("answered_early"), path="/noted/7/")[0] == "403 Forbidden"
    assert call(site(), path="/noted/7/")[0] == "200 OK"
    assert asked(site) == ["7", "7"]
    assert names(ring_dir) == ["GET /noted/<number>/"] * 2


@pytest.mark.parametrize("middleware", [[], ["other_urlconf"], ["put"]])
@pytest.mark.parametrize("path", ["/nowhere/", "/noted/x/", "/de/nowhere/", "/noted/7"])
def test_the_page_of_a_missing_page_is_unchanged(site, path, middleware):
    bare = call(site(*middleware, probed=False, DEBUG=True), path=path)
    assert call(site(*middleware, DEBUG=True), path=path) == bare
    assert bare[0] == "404 Not Found"
    assert b"tried these URL patterns" in bare[2]


def tracebacks(application, path):
    """(file, function) of each frame of the error that Django reports for a request."""
    found = []

    def on_exception(**_):
        stack = traceback.extract_tb(sys.exc_info()[2])
        found.append([(entry.filename, entry.name) for entry in stack])

    got_request_exception.connect(on_exception, weak=False)
    try:
        assert call(application, path=path)[0] == "500 Internal Server Error"
    finally:
        got_request_exception.disconnect(on_exception)
    return found


@pytest.mark.parametrize("middleware", [[], ["other_urlconf"]])
def test_the_traceback_of_an_error_is_unchanged(site, middleware, caplog):
    bare = tracebacks(site(*middleware, probed=False), "/failing/7/")
    assert len(bare) == 1
    assert tracebacks(site(*middleware), "/failing/7/") == bare


def test_an_error_of_a_converter_is_django_s_to_meet(ring_dir, site, caplog):
    from dynoscope_probe import guard

    bare = tracebacks(site(probed=False), "/broken/7/")
    guard.reraise_with(None)
    assert tracebacks(site(), "/broken/7/") == bare
    assert names(ring_dir) == ["GET (unmatched)"]
    assert [record["error_fp"] != 0 for _, record in records_in(ring_dir)] == [True]


def test_resolving_is_part_of_the_cost(ring_dir, site):
    call(site(), path="/burning/40/")
    _, record = records_in(ring_dir)[0]
    assert record["wall_ns"] >= record["task_clock_ns"] >= 0.04e9


def test_a_handler_that_does_more_than_resolve(site):
    from django.core.handlers.wsgi import WSGIHandler

    class Handler(WSGIHandler):  # type: ignore[misc]
        def resolve_request(self, request):
            site.seen.append(("own", None))
            request.path_info = "/noted/9/"
            return super().resolve_request(request)

    site()
    assert call(dynoscope_probe.wsgi(Handler()), path="/noted/7/")[0] == "200 OK"
    assert [entry[0] for entry in site.seen].count("own") == 1
    assert asked(site) == ["7", "9"]


def test_which_urlconfs_depend_on_the_language(site):
    from django.urls import get_resolver

    site()
    assert depends_on_language(get_resolver(URLS))
    assert not depends_on_language(get_resolver(OTHER))
    assert not depends_on_language(get_resolver("tests.probe.apps.django_app"))
