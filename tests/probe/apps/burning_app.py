"""A Django application whose middleware burns most of the CPU, in two languages."""

import os

import django
from django.conf import settings

if not settings.configured:
    settings.configure(
        ROOT_URLCONF=__name__,
        SECRET_KEY="of the tests",
        ALLOWED_HOSTS=["*"],
        MIDDLEWARE=[
            f"{__name__}.burning_around",
            "django.middleware.locale.LocaleMiddleware",
            "django.middleware.common.CommonMiddleware",
            f"{__name__}.burning_around",
        ],
        LANGUAGES=[("en", "English"), ("de", "German")],
        LOGGING_CONFIG=None,
    )
    django.setup()

from django.conf.urls.i18n import i18n_patterns  # noqa: E402
from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.http import HttpResponse, StreamingHttpResponse  # noqa: E402
from django.urls import path  # noqa: E402

from tests.probe.apps.plain_app import busy  # noqa: E402

BURN_S = float(os.environ.get("BURN_S", "0.005"))


def burning_around(get_response):
    def middleware(request):
        busy(BURN_S)
        response = get_response(request)
        busy(BURN_S)
        return response

    return middleware


def view(request, **named):
    busy(BURN_S)
    return HttpResponse(b"burnt")


def streaming(request):
    def parts():
        for _ in range(3):
            busy(BURN_S)
            yield b"burnt "

    return StreamingHttpResponse(parts())


urlpatterns = [
    path("items/<int:item>/", view),
    path("streaming/", streaming),
    *i18n_patterns(path("about/", view)),
]

application = get_wsgi_application()
