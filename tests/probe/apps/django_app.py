"""A Django application in one file: routes, a database, a cache, middleware, errors."""

import sys
from pathlib import Path

import django
from django.conf import settings

if not settings.configured:
    settings.configure(
        ROOT_URLCONF=__name__,
        SECRET_KEY="of the tests",
        ALLOWED_HOSTS=["*"],
        DEBUG=False,
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
        CACHES={"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}},
        MIDDLEWARE=[
            "django.middleware.common.CommonMiddleware",
            f"{__name__}.other_urlconf",
        ],
        LOGGING_CONFIG=None,
        USE_TZ=True,
    )
    django.setup()

from django.core.cache import cache  # noqa: E402
from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.db import connection  # noqa: E402
from django.http import HttpResponse, StreamingHttpResponse  # noqa: E402
from django.urls import include, path, re_path  # noqa: E402

from tests.probe.apps.plain_app import busy  # noqa: E402


def other_urlconf(get_response):
    def middleware(request):
        if request.path_info.startswith("/elsewhere"):
            request.urlconf = "tests.probe.apps.django_elsewhere"
        return get_response(request)

    return middleware


def media(request, media_id):
    return HttpResponse(b"media %d" % media_id)


def database(request):
    with connection.cursor() as cursor:
        for number in range(3):
            cursor.execute("SELECT 1 WHERE 1 IN (%s, %s)", [number, 5])
        cursor.execute("SELECT 'a secret', 12345")
    return HttpResponse(b"asked")


def cached(request):
    cache.set("key", 1)
    cache.get_or_set("other", lambda: 2)
    return HttpResponse(b"%d" % cache.get("key"))


def broken(request):
    raise ValueError("no user 'alice' with number 123456, mail alice@example.org")


def burning(request):
    busy(float(request.GET["s"]))
    return HttpResponse(b"burnt")


def streaming(request):
    return StreamingHttpResponse(iter([b"a", b"b"]))


urlpatterns = [
    path("media/<int:media_id>/", media),
    path("database/", database),
    path("cached/", cached),
    path("broken/", broken),
    path("burning/", burning),
    path("streaming/", streaming),
    path("api/", include([re_path(r"^articles/(?P<year>[0-9]{4})/$", media)])),
]

application = get_wsgi_application()

if __name__ == "__main__":
    from django.core.management import execute_from_command_line

    sys.path.insert(0, str(Path(__file__).parents[3]))
    execute_from_command_line(sys.argv)
