from dashboards.blocks import frame
from dashboards.pages import flame
from tests.dashboards import seeds
from tests.dashboards.reading import answer, text, texts, with_id
from tests.dashboards.records import EVIL


def shown(pages, part=flame.ABOUT, **query):
    values = {frame.QUERY: pages.query("/flame", **query)}
    return answer(pages.app, pages.client, part, **values)[f"{part}.children"]


def test_one_side_is_the_graph_of_the_read_api(pages):
    data = with_id(shown(pages, release="r2", endpoint=seeds.FEED), flame.DATA)["data"]
    path = f"/v1/flamegraph?service={seeds.SERVICE}&endpoint={seeds.FEED}&a=release:r2&from=-1h"
    asked = pages.client.get(path).get_json()["data"]
    assert [data["names"][at] for at in data["name"]] == asked["name"]
    assert data["a"] == [round(share, 7) for share in asked["share_a"]]
    assert data["samplesA"] == asked["samples_a"]
    assert (data["b"], data["labelA"]) == ([], "r2")


def test_all_releases_have_more_samples_than_one(pages):
    def samples(**query):
        return with_id(shown(pages, **query), flame.DATA)["data"]["samplesA"]

    assert samples() > samples(release="r2") > 0


def test_two_sides_differ(pages):
    sides = {"a": "release:r1", "b": "release:r2", "endpoint": seeds.FEED}
    data = with_id(shown(pages, **sides), flame.DATA)["data"]
    at = data["name"].index(data["names"].index(seeds.GUILTY))
    assert data["b"][at] > data["a"][at] * 1.1
    assert (data["labelA"], data["labelB"]) == ("r1", "r2")
    pickers = with_id(shown(pages, flame.PICK_RELEASE, **sides), {"pick": "b", "was": sides["b"]})
    assert pickers["value"] == "release:r2"


def test_one_side_has_one_picker(pages):
    picker = shown(pages, flame.PICK_RELEASE, release="r2")
    assert with_id(picker, {"pick": "release", "was": "r2"})["data"][0]["label"] == "all releases"


def test_without_samples_it_says_what_to_do(pages):
    assert "No on-CPU sample" in text(shown(pages, endpoint="task feed.fan"))


def test_a_side_that_is_not_understood_is_one_sentence(pages):
    assert "is not understood" in text(shown(pages, a="r1", b="r2"))


def test_hostile_names_travel_as_data(pages):
    told = shown(pages, endpoint=seeds.EVIL_ENDPOINT)
    assert seeds.EVIL_ENDPOINT in texts(told)
    assert f"m:{EVIL}" in with_id(told, flame.DATA)["data"]["names"]


def test_two_sides_look_back_a_day_by_themselves():
    one = flame.layout(release="r1")
    two = flame.layout(a="release:r1", b="release:r2")
    assert with_id(one, {"pick": "start", "was": "-1h"})["value"] == "-1h"
    assert with_id(two, {"pick": "start", "was": "-24h"})["value"] == "-24h"


def test_the_tree_turns_upside_down_from_a_function(pages):
    turned = {"function": seeds.GUILTY, "view": "callers", "release": "r2"}
    part = shown(pages, endpoint=seeds.FEED, **turned)
    data = with_id(part, flame.DATA)["data"]
    names = [data["names"][at] for at in data["name"]]
    assert [name for at, name in enumerate(names) if data["parent"][at] == 0] == [seeds.GUILTY]
    assert len(names) > 2
    assert "callers of" in text(part)


def test_own_code_alone(pages):
    data = with_id(shown(pages, release="r2", fold="own"), flame.DATA)["data"]
    assert {data["origins"][at] for at in data["origin"]} == {"own"}
    assert "fold names" in text(shown(pages, release="r2", fold="nonsense"))
