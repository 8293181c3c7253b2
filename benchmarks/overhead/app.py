"""The Django application that every configuration serves: a trivial view and one that works."""

from __future__ import annotations

import os
from collections.abc import Sequence
from itertools import repeat
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import path

__all__ = ["configure", "work"]

LOOPS = int(os.environ.get("BENCH_LOOPS", "1000"))


def work(loops: int) -> int:
    """A fixed amount of CPU work.

    It allocates nothing: where the allocator happens to stand would be worth some percent.
    """
    total = 0
    for _ in repeat(None, loops):
        total = total + 5 & 127
    return total


def _trivial(request: HttpRequest) -> HttpResponse:
    return HttpResponse(b"ok")


def _working(request: HttpRequest) -> HttpResponse:
    return HttpResponse(b"%d" % work(LOOPS))


urlpatterns = [path("trivial/", _trivial), path("working/", _working)]


def configure(apps: Sequence[str] = (), middleware: Sequence[str] = (), **more: Any) -> None:
    """Django's settings; `apps`, `middleware` (outermost) and `more` are what a peer wants."""
    settings.configure(
        ROOT_URLCONF=__name__,
        SECRET_KEY="of the benchmark",
        ALLOWED_HOSTS=["*"],
        DEBUG=False,
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
        CACHES={"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}},
        INSTALLED_APPS=list(apps),
        MIDDLEWARE=[*middleware, "django.middleware.common.CommonMiddleware"],
        LOGGING_CONFIG=None,
        USE_TZ=True,
        **more,
    )
