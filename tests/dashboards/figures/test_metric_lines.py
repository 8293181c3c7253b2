from collector.answers.metrics import MetricLine, MetricPoint
from dashboards.figures.metric_lines import SHOWN_MAX, metric_lines
from tests.dashboards.records import EVIL


def line(value: float, label: str = "q=a") -> MetricLine:
    return MetricLine("demo", "web-1", (label,), "gauge", "jobs", (MetricPoint(1_000, value),))


def test_a_line_for_each_host_and_labels_the_highest_first():
    figure = metric_lines([line(1.0), line(2.0, "q=b")], "queue_depth", "light")
    assert [(trace.name, list(trace.y)) for trace in figure.data] == [
        ("web-1 q=b", [2.0]),
        ("web-1 q=a", [1.0]),
    ]
    assert figure.layout.yaxis.title.text == "jobs"


def test_only_so_many_lines_are_drawn_and_none_is_markup():
    lines = [line(float(n), EVIL) for n in range(SHOWN_MAX + 5)]
    figure = metric_lines(lines, "queue_depth", "dark")
    assert len(figure.data) == SHOWN_MAX
    assert all("<" not in trace.name for trace in figure.data)


def test_nothing_is_an_empty_chart():
    assert not metric_lines([], "queue_depth", "light").data
