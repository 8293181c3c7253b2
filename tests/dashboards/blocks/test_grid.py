from dashboards.blocks.grid import grid, grid_style
from tests.dashboards.reading import plain


def test_a_grid_never_runs_code_of_its_cells():
    props = plain(grid("g", [{"field": "a"}]))["props"]
    assert not props.get("dangerously_allow_code")
    assert props["columnDefs"] == [{"field": "a"}]


def test_few_rows_need_no_scrolling():
    def height(rows):
        return int(grid_style(rows)["height"].removesuffix("px"))

    assert height(3) < height(14) == height(500)
