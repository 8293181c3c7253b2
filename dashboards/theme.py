"""Colours that are told apart by everyone, on light and on dark; one plotly template for each."""

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

__all__ = ["PALETTE", "mantine", "release_colours", "template"]

SCHEMES = ("light", "dark")

#: Okabe and Ito's colours, with the yellow darkened for white paper.
PALETTE = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#b8a100", "#8f8f8f")

_INK = {"light": "#1f2933", "dark": "#d5d9de"}
_FAINT = {"light": "rgba(31,41,51,0.12)", "dark": "rgba(213,217,222,0.14)"}
_PAPER = {"light": "#ffffff", "dark": "#25282d"}
_FONT = "-apple-system, BlinkMacSystemFont, Segoe UI, Roboto, Helvetica, Arial, sans-serif"


def mantine() -> dict[str, Any]:
    """The theme of the Mantine components."""
    return {"primaryColor": "blue", "defaultRadius": "md", "autoContrast": True}


def release_colours(releases: Sequence[str]) -> dict[str, str]:
    """A colour for each release in order of appearance; past the palette the oldest turn grey."""
    newest = list(dict.fromkeys(releases))[-(len(PALETTE) - 1) :]
    colours = dict.fromkeys(releases, PALETTE[-1])
    return colours | {release: PALETTE[i] for i, release in enumerate(newest)}


def template(scheme: str) -> go.layout.Template:
    """Transparent paper, quiet grid, text in the colour of the page; unknown schemes are light."""
    scheme = scheme if scheme in SCHEMES else "light"
    axis = {
        "gridcolor": _FAINT[scheme],
        "linecolor": _FAINT[scheme],
        "zerolinecolor": _FAINT[scheme],
        "automargin": True,
    }
    return go.layout.Template(
        layout={
            "paper_bgcolor": "rgba(0,0,0,0)",
            "plot_bgcolor": "rgba(0,0,0,0)",
            "font": {"family": _FONT, "size": 12, "color": _INK[scheme]},
            "colorway": list(PALETTE),
            "xaxis": axis,
            "yaxis": axis | {"rangemode": "tozero"},
            "modebar": {"bgcolor": "rgba(0,0,0,0)"},
            "hovermode": "x unified",
            "hoverlabel": {"bgcolor": _PAPER[scheme], "font": {"color": _INK[scheme]}},
            "margin": {"l": 8, "r": 8, "t": 24, "b": 8},
            "legend": {"orientation": "h", "y": -0.22, "x": 0, "yanchor": "top"},
        }
    )
