"""A sortable grid whose text can be selected; its theme follows the page's colours."""

from collections.abc import Sequence
from typing import Any

import dash_ag_grid as dag
from dash.development.base_component import Component

__all__ = ["grid", "grid_style"]

ROW_PX = 36
HEADER_PX = 44
ROWS_SHOWN = 14
THEME = (
    "themeQuartz.withParams({"
    "backgroundColor: 'var(--mantine-color-body)',"
    "foregroundColor: 'var(--mantine-color-text)',"
    "headerBackgroundColor: 'var(--mantine-color-body)',"
    "borderColor: 'var(--mantine-color-default-border)',"
    "accentColor: 'var(--mantine-primary-color-filled)',"
    "fontFamily: 'inherit', fontSize: 13.5, wrapperBorder: false,"
    "browserColorScheme: 'inherit', headerFontWeight: 600})"
)


def grid(grid_id: str, columns: Sequence[dict[str, Any]]) -> Component:
    """An empty grid; its rows carry their `id`."""
    shown: Component = dag.AgGrid(
        id=grid_id,
        columnDefs=list(columns),
        rowData=[],
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
        style=grid_style(0),
    )
    return shown


def grid_style(rows: int) -> dict[str, str]:
    """High enough for `rows` of them; more than ROWS_SHOWN scroll."""
    return {"height": f"{HEADER_PX + ROW_PX * (min(rows, ROWS_SHOWN) + 0.5):.0f}px"}
