from dashboards.figures.columns import bar, linked, number


def test_numbers_are_read_as_text_and_sorted_by_value():
    column = number("cost", "Cost")
    assert column["valueFormatter"] == {"function": "params.data.cost_text"}
    assert column["sortingOrder"][0] == "desc"


def test_bars_and_links_have_their_renderers():
    assert bar("share", "Share")["cellRenderer"] == "DyBar"
    assert linked("endpoint", "Endpoint")["cellRenderer"] == "DyLink"
