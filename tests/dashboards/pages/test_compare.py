from dataclasses import replace

import pytest

from dashboards.blocks import frame
from dashboards.pages import compare
from dashboards.source import Source, ask
from tests.dashboards import seeds
from tests.dashboards.reading import answer, links, text, with_id


def shown(pages, part=compare.RESULT, **query):
    values = {frame.QUERY: pages.query("/compare", **query), frame.SCHEME: "light"}
    return answer(pages.app, pages.client, part, **values)[f"{part}.children"]


@pytest.fixture(scope="module")
def result(pages):
    """The page without a choice: the two newest releases."""
    return shown(pages)


def test_it_is_the_comparison_of_the_read_api(pages, result):
    path = f"/v1/compare?service={seeds.SERVICE}&a=release:r1&b=release:r2&from=-24h"
    asked = pages.client.get(path).get_json()["data"]
    seen = text(result)
    assert asked["headline"] in seen
    assert asked["verdict"] == "regression"
    assert asked["guilty"]["function"] == seeds.GUILTY
    for change in asked["endpoints"]:
        assert change["endpoint"] in seen
    assert f"{asked['evidence']['requests_a']:,}" in seen
    assert f"{asked['guilty']['difference']['value'] / 1e6:.3g} ms" in seen


def test_the_guilty_function_is_marked_and_the_deploy_named(result):
    seen = text(result)
    assert f"{seeds.GUILTY} look here first" in seen
    assert "Brought by the deploy of  r2  in place of r1" in seen


def test_the_fleet_change_is_a_waterfall(result):
    (trace,) = with_id(result, "compare-fleet-cpu_ns")["figure"]["data"]
    assert trace["x"][1:5] == ["traffic", "mix", "mix within endpoints", "cost per request"]


def test_links_lead_to_the_difference(result):
    flame = next(to for to in links(result) if to.startswith("/flame"))
    assert "a=release%3Ar1&b=release%3Ar2" in flame


def test_one_endpoint_alone_says_so(pages):
    seen = text(shown(pages, endpoint="POST /api/v1/like/"))
    assert "Only POST /api/v1/like/:" in " ".join(seen.split())
    assert "no change" in seen


def test_a_side_without_data_cannot_tell_yet(pages):
    assert "cannot tell yet" in text(shown(pages, a="release:r1", b="release:r3"))


def test_sides_are_the_two_newest_releases(pages):
    pickers = shown(pages, compare.PICK_SIDES)
    assert with_id(pickers, {"pick": "a", "was": "release:r1"})["value"] == "release:r1"
    assert with_id(pickers, {"pick": "b", "was": "release:r2"})["value"] == "release:r2"


def test_one_release_alone_has_nothing_to_compare_with(seeded):
    source = Source(seeded, lambda: seeds.NOW_MS / 1000, 200, 120)
    question = ask(source, {"service": seeds.SERVICE}, "-24h")
    alone = replace(question, service=replace(question.service, releases=("r1",)))
    assert compare.sides_of(question) == ("release:r1", "release:r2")
    assert compare.sides_of(alone) == ("", "release:r1")
