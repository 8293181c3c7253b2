"""Routes for what Django asks of its resolvers: languages, converters, rendering, errors."""

from django.conf.urls.i18n import i18n_patterns
from django.http import HttpResponse
from django.template import engines
from django.template.response import TemplateResponse
from django.urls import get_urlconf, path, register_converter

from tests.probe.apps.plain_app import busy, endpoint_frames

#: What happened, in order; each test begins with an empty list.
seen = []


class Noted:
    """A converter that notes each value it is asked of."""

    regex = "[0-9]+"

    def to_python(self, value):
        seen.append(("converter", value))
        return int(value)

    def to_url(self, value):
        return str(value)


class Burning(Noted):
    def to_python(self, value):
        busy(int(value) / 1000)
        return value


class Broken(Noted):
    def to_python(self, value):
        raise RuntimeError("a converter's own fault")


register_converter(Noted, "noted")
register_converter(Burning, "burning")
register_converter(Broken, "broken")


def note(word):
    seen.append((word, endpoint_frames()))


def view(request, **named):
    note("view")
    match = request.resolver_match
    seen.append(("match", id(match), match.kwargs is named, dict(match.kwargs), get_urlconf()))
    match.kwargs["left by"] = "a view"
    named["left by"] = "a view"
    return HttpResponse(b"seen")


def rendering(request):
    template = engines["django"].from_string("{{ note }}")
    return TemplateResponse(request, template, {"note": lambda: note("render")})


def failing(request, **named):
    raise ValueError("a view's own fault")


def calling(request):
    """A view that asks another one of the same site, as batch endpoints do."""
    from django.test import RequestFactory

    from tests.probe.apps import django_app

    response = django_app.application.get_response(RequestFactory().get("/noted/1/"))
    return HttpResponse(response.content)


urlpatterns = [
    path("noted/<noted:number>/", view),
    path("burning/<burning:ms>/", view),
    path("broken/<broken:number>/", view),
    path("failing/<noted:number>/", failing),
    path("rendering/", rendering),
    path("calling/", calling),
    *i18n_patterns(
        path("about/", view),
        path("failing/", failing),
        path("rendering/", rendering),
    ),
]
