from dashboards.figures.flame import flame_payload
from profiler.records import FlameGraph

GRAPH = FlameGraph(
    name=("all", "a:f", "b:g", "a:f"),
    parent=(-1, 0, 1, 2),
    origin=(0, 0, 1, 0),
    share_a=(1.0, 0.9, 0.5, 0.123456789),
    share_b=(),
    samples_a=1000,
    samples_b=0,
    pruned_share=0.02,
)


def test_each_name_travels_once():
    payload = flame_payload(GRAPH, "r1")
    assert payload["names"] == ["all", "a:f", "b:g"]
    assert [payload["names"][at] for at in payload["name"]] == list(GRAPH.name)
    assert payload["a"] == [1.0, 0.9, 0.5, 0.1234568]
    assert (payload["b"], payload["pruned"], payload["labelA"]) == ([], 0.02, "r1")


def test_a_wide_graph_stays_small():
    many = 30_000
    wide = FlameGraph(
        name=("all", *(f"module:function{i % 500}" for i in range(many))),
        parent=(-1, *(0 for _ in range(many))),
        origin=(0,) * (many + 1),
        share_a=(1.0, *(1 / many for _ in range(many))),
        share_b=(),
        samples_a=many,
        samples_b=0,
        pruned_share=0.0,
    )
    assert len(flame_payload(wide, "all")["names"]) == 501
