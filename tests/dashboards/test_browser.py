"""Every page in a real browser, over a real server and store: what people see is what the API says.

One session: pages are opened in the order in which an engineer would.
"""

import json
import threading
import urllib.request
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
import waitress

from collector.app import create_app
from dashboards import humanise
from dashboards.app import create_dashboards
from tests.dashboards import seeds
from tests.dashboards.browser import Browser
from tests.dashboards.conftest import TOKENS
from tests.dashboards.records import EVIL

WHERE = f"service={seeds.SERVICE}"
FEED = quote(seeds.FEED, safe="")


@pytest.fixture(scope="module")
def server_url(seeded, places) -> Iterator[str]:
    def clock() -> float:
        return seeds.NOW_MS / 1000

    app = create_app(seeded, TOKENS, clock, places=places)
    create_dashboards(seeded, app, clock=clock, places=places)
    server = waitress.create_server(
        app, host="127.0.0.1", port=0, threads=4, asyncore_use_poll=True
    )
    thread = threading.Thread(target=server.run)
    thread.start()
    yield f"http://127.0.0.1:{server.effective_port}"
    server.close()
    thread.join()


@pytest.fixture(scope="module")
def browser(server_url, tmp_path_factory) -> Iterator[Browser]:
    one = Browser(server_url, tmp_path_factory.mktemp("chromium"))
    one.prefer("light")
    one.open(f"/?token={TOKENS.read}")
    yield one
    one.close()


@pytest.fixture(autouse=True)
def quiet(browser: Browser) -> Iterator[None]:
    """No page may complain, or ask another host for anything."""
    yield
    assert browser.complaints() == []
    assert browser.hosts_asked() <= {urlsplit(browser.base_url).netloc}


@pytest.fixture(scope="module")
def api(server_url):
    def ask(path: str):
        headers = {"Authorization": f"Bearer {TOKENS.read}"}
        request = urllib.request.Request(f"{server_url}/v1/{path}", headers=headers)
        with urllib.request.urlopen(request) as response:
            return json.load(response)["data"]

    return ask


def cells(browser: Browser, column: str) -> Any:
    """A column of the grid from top to bottom."""
    return browser.run(
        """return [...document.querySelectorAll(`.ag-row [col-id="${arguments[0]}"]`)]
            .sort((x, y) => x.closest(".ag-row").rowIndex - y.closest(".ag-row").rowIndex ||
                Number(x.closest(".ag-row").getAttribute("row-index")) -
                Number(y.closest(".ag-row").getAttribute("row-index")))
            .map((cell) => cell.textContent)""",
        column,
    )


def test_the_token_leaves_the_address(browser):
    assert browser.driver.current_url == f"{browser.base_url}/"
    assert browser.driver.title == "Overview · Dynoscope"


def test_the_overview_has_the_numbers_of_the_api(browser, api):
    rows = api(f"endpoints?{WHERE}&from=-1h")
    browser.until(lambda: len(cells(browser, "endpoint")) == len(rows), "all endpoints")
    assert cells(browser, "endpoint") == [row["endpoint"] for row in rows]
    assert cells(browser, "cost") == [humanise.cost(row["cost"], row["cost_unit"]) for row in rows]
    assert cells(browser, "per_s") == [humanise.rate(row["per_s"]) for row in rows]
    assert cells(browser, "latency_ms_p99") == [
        humanise.duration_ns(row["latency_ms_p99"] * 1e6) for row in rows
    ]
    (slo,) = api("slos?from=-1h")
    assert humanise.percent(slo["sli"], 5) in browser.text()
    (alert,) = api("alerts?from=-1h")
    assert alert["summary"] in browser.text()
    assert "samples late, 12 times" in browser.text()


def test_sorting_outlives_a_refresh(browser):
    browser.run(
        "document.querySelector('.ag-header-cell[col-id=db_ms] .ag-header-cell-label').click()"
    )
    order = browser.until(
        lambda: (now := cells(browser, "db_ms")) == sorted(now, key=_ms, reverse=True) and now,
        "rows by database time",
    )
    calls = browser.run("return performance.getEntriesByType('resource').length")
    browser.run("dash_clientside.set_props('frame-tick', {n_intervals: 7})")
    browser.until(
        lambda: browser.run("return performance.getEntriesByType('resource').length") >= calls + 5,
        "a refresh",
    )
    browser.settle()
    assert cells(browser, "db_ms") == order


def _ms(text: str) -> float:
    return float(text.split()[0])


def test_a_row_leads_to_its_endpoint_without_a_reload(browser, api):
    browser.run("window.stays = true")
    browser.run("document.querySelector('.ag-row a[href*=feed]').click()")
    browser.until(lambda: browser.driver.title == "Endpoint · Dynoscope", "the endpoint page")
    browser.settle()
    assert browser.run("return window.stays") is True
    row = next(r for r in api(f"endpoints?{WHERE}&from=-1h") if r["endpoint"] == seeds.FEED)
    seen = browser.text()
    for number in (
        humanise.cost(row["cost"], row["cost_unit"]),
        humanise.rate(row["per_s"]),
        humanise.duration_ns(row["latency_ms_p99"] * 1e6),
        humanise.count(row["requests"]),
    ):
        assert number in seen
    costs = api(f"functions?{WHERE}&endpoint={FEED}&release=r2&from=-1h")
    browser.until(lambda: cells(browser, "function"), "functions")
    assert cells(browser, "function") == [cost["function"] for cost in costs]
    assert cells(browser, "self_ns") == [humanise.duration_ns(cost["self_ns"]) for cost in costs]
    assert [name.strip() for name in browser.all(".annotation-text")] == ["deploy r2"] * 4


def test_pickers_write_the_address(browser):
    browser.run("document.querySelector('input[type=radio][value=\"-6h\"]').click()")
    browser.until(lambda: "from=-6h" in browser.driver.current_url, "the address to change")
    browser.settle()
    assert "endpoint=GET" in browser.driver.current_url
    browser.driver.back()
    browser.until(lambda: "from=-6h" not in browser.driver.current_url, "the way back")
    browser.settle()


def test_the_flame_graph_has_the_shares_of_the_api(browser, api):
    browser.open(f"/flame?{WHERE}&endpoint={FEED}&release=r2")
    graph = api(f"flamegraph?{WHERE}&endpoint={FEED}&a=release:r2&from=-1h")
    browser.until(lambda: browser.all(".dy-frame"), "frames")
    named = browser.run(
        "return [...document.querySelectorAll('.dy-frame')].map((e) => "
        "[Number(e.dataset.node), e.getAttribute('aria-label')])"
    )
    assert len(named) == len(graph["name"])
    for node, label in named:
        share = graph["share_a"][node]
        assert label.startswith(
            f"{graph['name'][node]}: {share * 100:.{2 if share < 0.1 else 1}f}%"
        )
    assert f"{graph['samples_a']:,} on-CPU samples" in browser.text()


def test_the_flame_graph_can_be_searched_and_zoomed_with_keys(browser, api):
    graph = api(f"flamegraph?{WHERE}&endpoint={FEED}&a=release:r2&from=-1h")
    browser.run(
        "const box = document.querySelector('.dy-flame-search'); box.value = 'SCORE';"
        "box.dispatchEvent(new Event('input'))"
    )
    share = graph["share_a"][graph["name"].index(seeds.GUILTY)]
    assert f"1 match, {share * 100:.1f}% of all" in browser.text()
    assert browser.all(".dy-found") == ["score feed.ranking"]
    key = (
        "document.activeElement.dispatchEvent("
        "new KeyboardEvent('keydown', {key: arguments[0], bubbles: true}))"
    )
    browser.run("document.querySelector('.dy-frame[tabindex=\"0\"]').focus()")
    for name in ("ArrowDown", "ArrowDown", "ArrowDown", "Enter"):
        browser.run(key, name)
    width = "return document.activeElement.style.width"
    assert browser.run(width) == "100%"
    assert "rank feed.ranking" in browser.run("return document.activeElement.textContent")
    assert len(browser.all(".dy-frame-above")) == 3
    browser.run(key, "Escape")
    assert browser.all(".dy-frame-above") == []


def test_two_sides_are_coloured_by_their_difference(browser, api):
    browser.open(f"/flame?{WHERE}&endpoint={FEED}&a=release:r1&b=release:r2")
    graph = api(f"flamegraph?{WHERE}&endpoint={FEED}&a=release:r1&b=release:r2&from=-24h")
    browser.until(lambda: browser.all(".dy-frame"), "frames")
    at = graph["name"].index(seeds.GUILTY)
    label, kind, width = browser.run(
        "const e = document.querySelector(`[data-node='${arguments[0]}']`);"
        "return [e.getAttribute('aria-label'), e.className, parseFloat(e.style.width)]",
        at,
    )
    assert f"{graph['share_a'][at] * 100:.1f}% → {graph['share_b'][at] * 100:.1f}%" in label
    assert "dy-frame-more" in kind
    assert width == pytest.approx(graph["share_b"][at] * 100, abs=0.01)
    browser.run("document.querySelectorAll('.dy-flame-button')[1].click()")
    narrower = browser.run(
        "return parseFloat(document.querySelector(`[data-node='${arguments[0]}']`).style.width)", at
    )
    assert narrower == pytest.approx(graph["share_a"][at] * 100, abs=0.01)


def test_tens_of_thousands_of_frames_are_drawn_where_they_can_be_seen(browser):
    drawn = browser.run(
        """const n = 40000, data = {names: ["all"], name: [0], parent: [-1], origin: [0],
            origins: ["own"], a: [1], b: [], samplesA: n, samplesB: 0, labelA: "", labelB: "",
            pruned: 0};
        for (let i = 1; i <= n; i++) {
            const at = i % 200 === 1 ? 0 : i - 1;
            data.names.push("m:f" + i); data.name.push(i); data.origin.push(0);
            data.parent.push(at); data.a.push((at ? data.a[at] * 0.98 : 1 / 200));
        }
        dash_clientside.flame.show(data, "flame-graph");
        return document.querySelectorAll(".dy-frame").length"""
    )
    assert 200 < drawn <= 6_001
    assert "too narrow: click to zoom in" in browser.text()


def test_the_comparison_is_that_of_the_api(browser, api):
    browser.open(f"/compare?{WHERE}&a=release:r1&b=release:r2")
    found = api(f"compare?{WHERE}&a=release:r1&b=release:r2&from=-24h")
    guilty = found["guilty"]
    assert browser.all(".dy-headline") == [found["headline"]]
    (row,) = browser.all("tr.dy-guilty")
    for part in (
        guilty["function"],
        humanise.moved(*(humanise.duration_ns(guilty[f"self_ns_{side}"]) for side in "ab")),
        humanise.percent(guilty["rise_share"]),
    ):
        assert part in row
    assert browser.all("tbody tr")[0] == row
    on_both = [one for one in found["endpoints"] if one["requests_a"] and one["requests_b"]]
    assert len(on_both) == 4
    for change in on_both:
        costs = (humanise.cost(change[f"cost_{side}"], change["unit"]) for side in "ab")
        assert humanise.moved(*costs) in browser.text()
    assert "Brought by the deploy of r2 in place of r1" in browser.text()


def test_the_guilty_function_leads_to_its_lines(browser, api):
    browser.run("document.querySelector('tr.dy-guilty a').click()")
    browser.until(lambda: browser.driver.title == "Function · Dynoscope", "the function page")
    browser.settle()
    asked = f"function={quote(seeds.GUILTY)}&endpoint={FEED}&a=release:r1&b=release:r2&from=-24h"
    view = api(f"source?{WHERE}&{asked}")
    rows = browser.run(
        "return [...document.querySelectorAll('.dy-source tbody tr')]"
        ".map((row) => [...row.cells].map((cell) => cell.textContent))"
    )
    assert len(rows) == len(view["lines"]) == 7
    for row, line in zip(rows, view["lines"], strict=True):
        assert row[:2] == [str(line["line_a"] or ""), str(line["line_b"] or "")]
        counts = [line["samples_a"], line["samples_b"]]
        assert row[2:4] == [humanise.count(count) if count else "" for count in counts]
        assert row[-1][2:] == line["text"]
    dear = next(line for line in view["lines"] if line["line_b"] == 6)
    assert (dear["line_a"], dear["samples_b"]) == (0, 18_000)
    assert EVIL in rows[-1][-1]
    assert browser.run("return document.querySelectorAll('.dy-source script').length") == 0


def test_hosts_and_alerts(browser, api):
    browser.open(f"/hosts?{WHERE}&from=-1h")
    for host in api(f"hosts?{WHERE}&from=-1h"):
        assert any(
            host["host"] in row and humanise.count(host["requests"]) in row
            for row in browser.all("tbody tr")
        )
    browser.open("/alerts")
    assert [alert["summary"] in browser.text() for alert in api("alerts?from=-24h")] == [True]


@pytest.mark.parametrize(
    "page", ["/", "/endpoint", "/flame", "/function", "/compare", "/alerts", "/hosts"]
)
def test_names_that_are_markup_are_shown_as_text(browser, page):
    evil = quote(seeds.EVIL_ENDPOINT, safe="")
    browser.open(f"{page}?{WHERE}&endpoint={evil}&from=-1h")
    browser.until(lambda: page == "/hosts" or EVIL in browser.run(EVERYTHING), "the hostile name")
    scripts = browser.all("script")
    assert not any("alert(1)" in script for script in scripts)
    assert browser.run("return document.querySelectorAll('#main script').length") == 0


#: Text, picked values and labels of charts.
EVERYTHING = """return document.body.textContent +
    [...document.querySelectorAll("input")].map((e) => e.value).join(" ")"""


def test_an_answer_that_cannot_be_given_is_one_sentence(browser):
    browser.open("/?from=yesterday")
    assert "The time 'yesterday' is not understood" in browser.text()


def test_dark_follows_the_system_and_the_toggle_stays(browser):
    paper = "return getComputedStyle(document.body).backgroundColor"
    ink = "return getComputedStyle(document.querySelector('.xtick text')).fill"
    scheme = "return document.documentElement.getAttribute('data-mantine-color-scheme')"
    browser.prefer("light")
    browser.open(f"/?{WHERE}")
    light = (browser.run(paper), browser.run(ink))
    browser.prefer("dark")
    browser.until(lambda: browser.run(scheme) == "dark", "the page to turn dark")
    browser.until(lambda: browser.run(ink) != light[1], "the charts to turn dark")
    assert browser.run(paper) != light[0]
    browser.run("document.querySelector('[aria-label=\"light or dark\"]').click()")
    browser.until(lambda: browser.run(scheme) == "light", "the toggle")
    browser.open(f"/?{WHERE}")
    assert browser.run(scheme) == "light"
    assert (browser.run(paper), browser.run(ink)) == light


def test_everything_can_be_reached_with_the_keyboard(browser):
    browser.open(f"/?{WHERE}")
    nameless = browser.run(
        """return [...document.querySelectorAll("a, button, input, [tabindex='0']")]
            .filter((e) => e.offsetParent && !e.closest("[class*=ag-], .js-plotly-plot"))
            .filter((e) => !(e.textContent.trim() || e.getAttribute("aria-label") ||
                e.labels && e.labels.length || e.placeholder))
            .map((e) => e.outerHTML)"""
    )
    assert nameless == []
    assert browser.all("h1") == ["Overview"]
