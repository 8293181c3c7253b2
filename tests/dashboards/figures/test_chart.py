from dashboards.figures.chart import chart, main_unit, mark_deploys, moments, plain
from tests.dashboards.records import EVIL, deploy, point


def test_times_are_utc():
    assert moments([1_790_341_200_250]) == ["2026-09-25T13:00:00.250"]


def test_text_is_no_markup():
    assert "<" not in plain(EVIL)


def test_the_unit_of_most_requests_is_charted():
    points = [point(1), point(2, cost_unit="instructions", requests=9_000)]
    assert main_unit(points) == "instructions"
    assert main_unit([]) == ""


def test_deploys_in_sight_are_marked_with_their_release():
    figure = chart("light", height=200, unit="ms", stays="x")
    mark_deploys(figure, [deploy(50), deploy(500), deploy(150, EVIL)], [100, 600])
    assert [note.text.strip() for note in figure.layout.annotations] == [
        "deploy r2",
        f"deploy {plain(EVIL)}",
    ]
    assert len(figure.layout.shapes) == 2


def test_without_times_nothing_is_marked():
    figure = chart("dark", height=200, unit="ms", stays="x")
    mark_deploys(figure, [deploy(50)], [])
    assert not figure.layout.shapes
