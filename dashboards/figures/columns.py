"""Column definitions of a grid. Cells show `<field>_text`, sorting uses `<field>`."""

from typing import Any

__all__ = ["bar", "linked", "number", "text"]


def text(field: str, header: str, *, flex: int = 1, min_width: int = 110) -> dict[str, Any]:
    return {
        "field": field,
        "headerName": header,
        "flex": flex,
        "minWidth": min_width,
        "tooltipField": field,
    }


def linked(field: str, header: str, *, flex: int = 1, min_width: int = 110) -> dict[str, Any]:
    """Text that leads to the row's `href`."""
    return text(field, header, flex=flex, min_width=min_width) | {"cellRenderer": "DyLink"}


def number(field: str, header: str, *, min_width: int = 96) -> dict[str, Any]:
    return {
        "field": field,
        "headerName": header,
        "flex": 1,
        "minWidth": min_width,
        "type": "rightAligned",
        "sortingOrder": ["desc", "asc", None],
        "valueFormatter": {"function": f"params.data.{field}_text"},
    }


def bar(field: str, header: str) -> dict[str, Any]:
    """A share, 0..1, as a bar with its number."""
    return number(field, header, min_width=170) | {"flex": 2, "cellRenderer": "DyBar"}
