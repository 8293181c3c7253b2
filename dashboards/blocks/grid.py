"""A sortable grid whose text can be selected; its theme follows the page's colours."""

from collections.abc import Sequence
from typing import Any

import dash_ag_grid as dag
from dash.development.base_component import Component

__all__ = ["grid"]

ROW_PX = 36
HEADER_PX = 44
THEME = (
    "themeQuartz.withParams({"
    "backgroundColor: 'var(--mantine-color-body)',"
    "foregroundColor: 'var(--mantine-color-text)',"
    "headerBackgroundColor: 'var(--mantine-color-body)',"
    "borderColor: 'var(--mantine-color-default-border)',"
    "accentColor: 'var(--mantine-primary-color-filled)',"
    "fontFamily: 'inherit', fontSize: 13.5, wrapperBorder: false, headerFontWeight: 600})"
)


def grid(
    grid_id: str,
    columns: Sequence[dict[str, Any]],
    rows: Sequence[dict[str, Any]],
    *,
    rows_shown: int,
) -> Component:
    """Rows carry their `id`; more than `rows_shown` of them scroll."""
    height = HEADER_PX + ROW_PX * (min(len(rows), rows_shown) + 0.5)
    shown: Component = dag.AgGrid(
        id=grid_id,
        columnDefs=list(columns),
        rowData=list(rows),
        getRowId="params.data.id",
        defaultColDef={
            "sortable": True,
            "resizable": True,
            "suppressMovable": True,
            "wrapHeaderText": True,
        },
        eventListeners={"cellKeyDown": ["dyOpenRow(params)"]},
        dashGridOptions={
            "theme": {"function": THEME},
            "rowHeight": ROW_PX,
            "headerHeight": HEADER_PX,
            "enableCellTextSelection": True,
            "ensureDomOrder": True,
            "animateRows": False,
            "tooltipShowDelay": 500,
        },
        style={"height": f"{height:.0f}px"},
    )
    return shown
