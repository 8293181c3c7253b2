from dataclasses import replace
from math import nan

from dashboards.blocks.comparison import endpoint_table, evidence, finding, function_table
from dashboards.urls import Query
from profiler.records import Interval
from tests.dashboards.reading import links, plain, text, texts
from tests.dashboards.records import (
    EVIL,
    comparison,
    endpoint_change,
    function_change,
)

QUERY = Query("shop")


def rows_of(functions):
    """The rows of the table that is not folded."""
    scroll = plain(functions)["props"]["children"][0]
    return scroll["props"]["children"][0]["props"]["children"][1]["props"]["children"]


def test_the_finding_is_its_headline_verdict_and_deploy():
    shown = text(finding(comparison()))
    assert "regression" in shown
    assert "costs +25.2% per request" in shown
    assert "r2  in place of r1 (commits 0123abc): rolling restart" in shown
    assert "333 warm-up requests" in shown


def test_cannot_tell_yet_is_shown_plainly():
    unsure = comparison(verdict="cannot tell", headline="Too few requests.", deploy=None, notes=())
    assert text(finding(unsure)) == "cannot tell yet Too few requests."


def test_an_endpoint_has_both_costs_and_its_interval():
    shown = text(endpoint_table([endpoint_change()], QUERY))
    for part in (
        "6.07 → 7.59 ms CPU",
        "+25.2% [+24.7%, +25.6%]",
        "+1.52 ms [+1.5, +1.55]",
        "< 0.001",
        "15,964 → 15,933",
        "14.3 → 16.2 ms",
        "1.19% → 1.32% errors",
        "above the budget",
    ):
        assert part in shown
    assert links(endpoint_table([endpoint_change()], QUERY)) == [
        "/endpoint?service=shop&endpoint=GET+%2Fapi%2Fv1%2Ffeed%2F"
    ]


def test_the_guilty_function_comes_first_and_is_marked():
    found = comparison()
    table = function_table(found.functions, found.guilty, QUERY)
    rows = rows_of(table)
    assert [row["props"]["className"] for row in rows] == ["dy-guilty", ""]
    first = text(rows[0])
    for part in (
        "feed.ranking:score",
        "look here first",
        "own code in GET /api/v1/feed/",
        "beneath it: math:hypot +400 µs",
        "2.54 → 4.26 ms",
        "+1.72 ms [+1.62, +1.83]",
        "96%",
        "15,063 → 20,242 samples",
        "0.001",
    ):
        assert part in first
    assert "beneath it" not in text(rows[1])


def test_what_is_unknown_is_a_dash():
    nothing = Interval(nan, nan, nan)
    change = function_change(difference=nothing, rise_share=nan, p_corrected=nan, beneath=())
    assert texts(function_table([change], None, QUERY)).count("–") == 3


def test_empty_tables_say_why():
    assert "on both sides" in text(endpoint_table([], QUERY))
    assert "on-CPU samples" in text(function_table([], None, QUERY))


def test_many_functions_are_folded_and_counted():
    many = [function_change(function=f"m:f{i}") for i in range(60)]
    shown = text(function_table(many, many[7], QUERY))
    assert "48 more functions" in shown
    assert shown.index("m:f7 ") < shown.index("m:f0 ")


def test_evidence_says_how_much_it_rests_on():
    shown = text(evidence(replace(comparison().evidence, contended_share=0.25)))
    for part in (
        "requests before 39,767",
        "requests after 39,731",
        "hosts 3",
        "windows 366 of 30 s",
        "unit of error host",
        "set apart 333",
        "contended CPU 25%",
    ):
        assert part in shown


def test_names_are_text():
    table = function_table([function_change(function=EVIL)], None, QUERY)
    assert EVIL in texts(table)
    assert "dangerously" not in str(plain(table)).lower()


def test_own_functions_lead_to_their_lines_and_library_code_does_not():
    sides = Query("shop", a="release:r1", b="release:r2")
    changes = [
        function_change(was="feed.ranking:grade"),
        function_change(function="json.decoder:decode", origin=2),
    ]
    (to,) = links(function_table(changes, None, sides))
    assert to.startswith("/function?service=shop&endpoint=GET")
    assert "a=release%3Ar1&b=release%3Ar2" in to
    assert "function=feed.ranking%3Ascore&was=feed.ranking%3Agrade" in to
