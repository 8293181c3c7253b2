from math import nan

from dashboards.figures.history import (
    cost_history,
    dependency_history,
    latency_history,
    traffic_history,
)
from tests.dashboards.records import EVIL, deploy, point

COLOURS = {"r1": "#111111", "r2": "#222222"}
POINTS = [point(1000), point(2000), point(2000, "r2", cost=7_500_000.0), point(3000, "r2")]


def test_cost_is_a_line_a_release_in_its_colour_and_unit():
    figure = cost_history(POINTS, COLOURS, [deploy(2000)], "light")
    assert [(t.name, t.line.color, list(t.y)) for t in figure.data] == [
        ("r1", "#111111", [6.0, 6.0]),
        ("r2", "#222222", [7.5, 6.0]),
    ]
    assert figure.layout.yaxis.title.text == "ms CPU per request"
    assert figure.layout.annotations[0].text.strip() == "deploy r2"


def test_units_are_never_mixed():
    points = [point(1000), point(1000, cost_unit="instructions", cost=5e7, requests=5_000)]
    figure = cost_history(points, COLOURS, [], "light")
    assert [list(trace.y) for trace in figure.data] == [[50.0]]
    assert figure.layout.yaxis.title.text == "M instructions per request"


def test_latency_has_two_quantiles():
    figure = latency_history(POINTS, COLOURS, [], "dark")
    assert [(t.name, t.line.dash) for t in figure.data] == [
        ("r1 P99", "solid"),
        ("r2 P99", "solid"),
        ("r1 P50", "dot"),
        ("r2 P50", "dot"),
    ]


def test_traffic_stacks_releases_under_errors():
    figure = traffic_history(POINTS, COLOURS, [], "light")
    r1, r2, errors = figure.data
    assert list(r1.y) == [10.0, 10.0, 0.0]
    assert list(r2.y) == [0.0, 10.0, 10.0]
    assert list(errors.y) == [0.1, 0.2, 0.1]


def test_dependencies_are_means_by_requests():
    points = [point(1000, db_ms=2.0, requests=300), point(1000, "r2", db_ms=6.0, requests=100)]
    _, database, _ = dependency_history(points, [], "light").data
    assert list(database.y) == [3.0]


def test_what_is_unknown_counts_as_nothing():
    (_, database, _) = dependency_history([point(1000, db_ms=nan)], [], "light").data
    assert list(database.y) == [0.0]


def test_without_points_there_is_an_empty_chart():
    assert cost_history([], COLOURS, [], "light").data == ()
    assert list(traffic_history([], COLOURS, [], "light").data[0].y) == []


def test_names_are_no_markup():
    figure = cost_history([point(1000, EVIL)], {}, [], "light")
    assert "<" not in figure.data[0].name


def test_a_single_point_is_seen_within_an_hour():
    draws = (cost_history, latency_history, traffic_history)
    figures = [draw([point(1_790_341_200_000)], COLOURS, [], "light") for draw in draws]
    for figure in [*figures, dependency_history([point(1_790_341_200_000)], [], "light")]:
        assert {trace.mode for trace in figure.data} == {"lines+markers"}
        assert figure.layout.xaxis.range == ("2026-09-25T12:30:00.000", "2026-09-25T13:30:00.000")
    assert traffic_history(POINTS, COLOURS, [], "light").layout.xaxis.range is None
