from dash import html

from dashboards.blocks.table import number, table
from tests.dashboards.reading import text


def test_rows_past_the_limit_are_counted():
    rows = [html.Tr([number(str(i))]) for i in range(5)]
    assert text(table(("N",), rows, 3, numbers=("N",))) == "N 0 1 2 2 more rows are not shown"
    assert text(table(("N",), rows, 5)) == "N 0 1 2 3 4"
