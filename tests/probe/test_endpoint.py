import sys
import traceback

import pytest

from dynoscope_probe.endpoint import (
    ENDPOINT_FILE,
    endpoint_frame,
    endpoint_name,
    without_endpoint_frames,
)


@pytest.mark.parametrize(
    ("method", "route", "name"),
    [
        ("GET", "", "GET /"),
        ("GET", "/", "GET /"),
        ("GET", "api/v1/feed/", "GET /api/v1/feed/"),
        ("GET", "//api", "GET /api"),
        ("POST", "media/<int:media_id>/like/", "POST /media/<media_id>/like/"),
        ("GET", "media/<media_id>", "GET /media/<media_id>"),
        ("GET", "/users/<string(length=2):lang>/", "GET /users/<lang>/"),
        ("GET", "/pages/<any(about, 'a:>b', imprint):page>", "GET /pages/<page>"),
        ("GET", "files/v1.0/<path:rest>", "GET /files/v1.0/<rest>"),
        ("GET", "^articles/(?P<year>[0-9]{4})/$", "GET /articles/<year>/"),
        ("GET", r"^articles/(?P<slug>[\w-]+)\.html$", "GET /articles/<slug>.html"),
        ("GET", r"^(?P<a>(x|y(z)))/([0-9]+)/(\d{2})/?$", "GET /<a>/<1>/<2>/"),
        ("GET", r"^x/(?:page-(?P<page>\d+)/)?$", "GET /x/page-<page>/"),
        ("GET", r"^y/(?=z)([(]+)\Z", "GET /y/<1>"),
        ("GET", "api/^articles/(?P<year>[0-9]{4})/$", "GET /api/articles/<year>/"),
        ("GET", "blog/<int:id>/^(?P<part>.*)$", "GET /blog/<id>/<part>"),
        ("GET", "/items/{item_id:int}/{tail}", "GET /items/<item_id>/<tail>"),
        ("GET", r"^(?P<open>", "GET /<open>"),
        ("GET", "broken/<int:id", "GET /broken/<int:id"),
        ("GET", None, "GET (unmatched)"),
        ("PATCH", "a/", "PATCH /a/"),
        ("BREW", "pot/", "(method) /pot/"),
        ("get", "a/", "(method) /a/"),
        ("BREW", None, "(method) (unmatched)"),
    ],
)
def test_spelling(method, route, name):
    assert endpoint_name(method, route) == name


def test_the_frame_bears_the_name_and_passes_everything_on():
    def inner(a, b):
        return a, b, sys._getframe(1).f_code

    a, b, code = endpoint_frame("GET /feed/")(inner, 1, 2)
    assert (a, b) == (1, 2)
    assert (code.co_name, code.co_filename) == ("GET /feed/", ENDPOINT_FILE)
    assert code.co_qualname == "GET /feed/"


def test_endpoint_frames_are_taken_out_of_a_traceback():
    def view():
        endpoint_frame("graphql Feed")(fail)

    def fail():
        raise ValueError("x")

    try:
        endpoint_frame("GET /a")(endpoint_frame("GET /b"), view)
    except ValueError as error:
        kept = without_endpoint_frames(error.__traceback__)
        names = [entry.name for entry in traceback.extract_tb(kept)]
    assert names == ["test_endpoint_frames_are_taken_out_of_a_traceback", "view", "fail"]


def test_a_traceback_of_endpoint_frames_alone_becomes_none():
    assert without_endpoint_frames(None) is None
    try:
        endpoint_frame("GET /a")(int, "x")
    except ValueError as error:
        assert without_endpoint_frames(error.__traceback__.tb_next) is None
