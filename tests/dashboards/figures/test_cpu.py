import pytest

from dashboards.figures.cpu import OTHERS, cores_at, cpu_by_endpoint
from tests.dashboards.records import deploy, point


def test_cores_are_task_clock_a_second_over_all_releases():
    points = [
        point(1000, per_s=10, task_clock_ns=5e7),
        point(1000, "r2", per_s=5, task_clock_ns=2e7),
    ]
    assert cores_at(points) == {1000: pytest.approx(0.6)}


def test_layers_sum_to_the_total():
    total = [point(t, per_s=20, task_clock_ns=5e7) for t in (1000, 2000)]
    feed = [point(1000, per_s=12, task_clock_ns=5e7)]
    figure = cpu_by_endpoint(total, {"GET /<feed>": feed}, [deploy(1500)], "light")
    assert [trace.name for trace in figure.data] == ["GET /&lt;feed&gt;", OTHERS]
    assert [sum(ys) for ys in zip(*(trace.y for trace in figure.data), strict=True)] == [
        pytest.approx(1.0),
        pytest.approx(1.0),
    ]
    assert {trace.stackgroup for trace in figure.data} == {"cpu"}


def test_an_unfinished_step_makes_no_others():
    total = [point(t, per_s=20) for t in range(1000, 2000, 10)]
    feed = [*total[:-1], point(total[-1].ts_ms, per_s=19)]
    assert len(cpu_by_endpoint(total, {"GET /": feed}, [], "light").data) == 1
