"""A Django application with the cache that its environment names, served by wsgiref."""

import os
import sys
from wsgiref.simple_server import WSGIRequestHandler, make_server

import django
from django.conf import settings

settings.configure(
    ROOT_URLCONF=__name__,
    ALLOWED_HOSTS=["*"],
    SECRET_KEY="of the tests",
    CACHES={
        "default": {
            "BACKEND": os.environ["CACHE_BACKEND"],
            "LOCATION": os.environ["CACHE_LOCATION"],
        }
    },
)
django.setup()

from django.core.cache import cache  # noqa: E402
from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.http import HttpResponse  # noqa: E402
from django.urls import path  # noqa: E402

import dynoscope_probe  # noqa: E402


def cached(request):
    cache.set("key", 1)
    cache.get_or_set("other", lambda: 2)
    return HttpResponse(b"%d" % cache.get("key"))


urlpatterns = [path("cached/", cached)]


class Silent(WSGIRequestHandler):
    def log_message(self, *_):
        pass


if __name__ == "__main__":
    application = dynoscope_probe.wsgi(get_wsgi_application())
    make_server("127.0.0.1", int(sys.argv[1]), application, handler_class=Silent).serve_forever()
