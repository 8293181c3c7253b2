"""The two sides of a comparison: which are meant, and the pickers that choose them."""

from dash import html
from dash.development.base_component import Component

from dashboards.blocks import frame
from dashboards.source import Question

__all__ = ["side_pickers", "sides_of"]


def sides_of(question: Question) -> tuple[str, str]:
    """The sides asked for; else the two newest releases of the service, empty where it has one."""
    releases = ["", *question.service.releases][-2:]
    newest = [f"release:{release}" if release else "" for release in releases]
    return question.query.a or newest[0], question.query.b or newest[-1]


def side_pickers(question: Question) -> Component:
    """Before and after, of the service's releases."""
    a, b = sides_of(question)
    sides = [f"release:{release}" for release in question.service.releases]
    return html.Div(
        [
            frame.picker("a", "Before", a, sides, 190),
            "→",
            frame.picker("b", "After", b, sides, 190),
        ],
        className="dy-controls-part",
    )
