from dataclasses import replace

from collector.answers.errors import ErrorRow
from dashboards.blocks.error_table import error_table
from tests.dashboards.reading import links, text
from tests.dashboards.records import NOW_MS

ROW = ErrorRow(
    error="00000000000000ff", service="shop", type="KeyError", message="<script>x</script>",
    frames=("shop.cart:add", "shop.views:cart"), events=1_234, first_ms=NOW_MS - 60_000,
    last_ms=NOW_MS - 2_000, is_new=True, releases=("r1", "r2"),
    endpoints=("GET /a/", "GET /b/", "GET /c/", "GET /d/"), trace_id="ab" * 16,
)  # fmt: skip


def test_an_error_says_what_where_and_since_when():
    shown = text(error_table([ROW], NOW_MS))
    for part in ("KeyError", "new", "<script>x</script>", "shop.cart:add", "1 min ago", "r1, r2",
                 "GET /a/, GET /b/, GET /c/ and 1 more"):  # fmt: skip
        assert part in shown, part
    assert links(error_table([ROW], NOW_MS)) == ["/v1/traces/" + "ab" * 16]


def test_an_old_one_without_a_trace():
    table = error_table([replace(ROW, is_new=False, trace_id="")], NOW_MS)
    assert links(table) == [] and " new " not in text(table)


def test_no_error():
    assert text(error_table([], NOW_MS)) == "No unhandled exception in this time range."
