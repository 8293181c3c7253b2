"""Functions of an endpoint as rows and columns of a grid."""

from collections.abc import Sequence
from typing import Any

from dashboards import humanise
from dashboards.figures.columns import bar, linked, number, text
from dashboards.urls import Query, href
from profiler.records import FunctionCost
from profiler.vocabulary import ORIGINS

__all__ = ["FUNCTION_COLUMNS", "function_rows", "origin_word"]

FUNCTION_COLUMNS: tuple[dict[str, Any], ...] = (
    linked("function", "Function", flex=4, min_width=260),
    text("origin", "Code", min_width=90),
    number("self_ns", "Self, per request", min_width=140),
    bar("self_share", "Self share"),
    number("inclusive_ns", "With callees", min_width=120),
    number("inclusive_share", "Share with callees", min_width=130),
    number("samples", "Samples"),
)


OWN = ORIGINS.index("own")


def function_rows(costs: Sequence[FunctionCost], query: Query) -> list[dict[str, Any]]:
    """One grid row a function; costs in CPU time per request. Own code leads to its lines."""
    return [
        {
            "id": cost.function,
            "function": cost.function,
            "href": href("/function", query, function=cost.function) if cost.origin == OWN else "",
            "origin": origin_word(cost.origin),
            "self_ns": cost.self_ns,
            "self_ns_text": humanise.duration_ns(cost.self_ns),
            "self_share": cost.self_share,
            "self_share_text": humanise.percent(cost.self_share),
            "inclusive_ns": cost.inclusive_ns,
            "inclusive_ns_text": humanise.duration_ns(cost.inclusive_ns),
            "inclusive_share": cost.inclusive_share,
            "inclusive_share_text": humanise.percent(cost.inclusive_share),
            "samples": cost.samples,
            "samples_text": humanise.count(cost.samples),
        }
        for cost in costs
    ]


def origin_word(origin: int) -> str:
    return ORIGINS[origin] if 0 <= origin < len(ORIGINS) else "unknown"
