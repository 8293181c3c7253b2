from dashboards.blocks.grid import grid
from tests.dashboards.reading import plain


def test_a_grid_never_runs_code_of_its_cells():
    props = plain(grid("g", [{"field": "a"}], [{"id": "1", "a": "<b>"}], rows_shown=10))["props"]
    assert not props.get("dangerously_allow_code")
    assert props["rowData"] == [{"id": "1", "a": "<b>"}]


def test_few_rows_need_no_scrolling():
    def height(rows):
        props = plain(grid("g", [], [{"id": str(i)} for i in range(rows)], rows_shown=10))["props"]
        return int(props["style"]["height"].removesuffix("px"))

    assert height(3) < height(10) == height(500)
