from dataclasses import replace

import pytest

from dashboards.blocks import frame
from dashboards.pages import function
from dashboards.source import Source, ask
from tests.dashboards import seeds
from tests.dashboards.reading import answer, links, text


def shown(pages, part=function.LINES, **query):
    values = {frame.QUERY: pages.query("/function", **query)}
    return answer(pages.app, pages.client, part, **values)[f"{part}.children"]


@pytest.fixture(scope="module")
def lines(pages):
    """The page without a choice of sides: the two newest releases."""
    return shown(pages, function=seeds.GUILTY, endpoint=seeds.FEED)


def test_it_is_the_source_view_of_the_read_api(pages, lines):
    sides = {"a": "release:r1", "b": "release:r2", "endpoint": seeds.FEED}
    asked = {"service": seeds.SERVICE, "function": seeds.GUILTY, "from": "-24h", **sides}
    view = pages.client.get("/v1/source", query_string=asked).get_json()["data"]
    assert (view["a"]["reason"], view["b"]["reason"], view["notes"]) == ("", "", [])
    seen = text(lines)
    for side in (view["a"], view["b"]):
        assert side["file"] in seen
        assert f"{side['samples']:,}" in seen
    for line in view["lines"]:
        assert line["text"].strip() in seen


def test_links_lead_to_callers_callees_and_the_comparison(lines):
    starts = [to.partition("?")[0] for to in links(lines)]
    assert starts == ["/flame", "/flame", "/compare"]


def test_without_a_function_it_is_the_dearest_of_own_code(pages):
    others = links(shown(pages, function.OTHERS, endpoint=seeds.FEED))
    assert others[0].endswith("function=feed.ranking%3Ascore")
    assert seeds.GUILTY in text(shown(pages, endpoint=seeds.FEED))


def test_library_code_has_no_lines_and_says_so(pages):
    seen = text(shown(pages, function="json.decoder:JSONDecoder.decode"))
    assert "No line of it was sampled" in seen


def test_sides_of_releases_that_did_not_run_say_so(pages):
    seen = text(shown(pages, function=seeds.GUILTY, a="release:r0", b="release:r2"))
    assert "source of r0 is not at hand: no line of it was sampled on this side" in seen


def test_a_service_of_one_release_has_one_side(seeded):
    question = ask(
        Source(seeded, lambda: seeds.NOW_MS / 1000, 200, 120), {"service": seeds.SERVICE}, "-24h"
    )
    alone = replace(question, service=replace(question.service, releases=("r2",)))
    a, b = function._sides(alone)
    assert (a.release, b) == ("r2", None)
    nameless = replace(question, service=replace(question.service, releases=()))
    a, b = function._sides(nameless)
    assert (a.label, a.release, b) == ("all", "", None)
