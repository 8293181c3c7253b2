"""A framed part of a page, and names for those who do not see it."""

from collections.abc import Sequence
from typing import Any

import dash_mantine_components as dmc
from dash.development.base_component import Component

__all__ = ["aria", "card"]


def card(children: Sequence[Component | None], class_name: str = "") -> Component:
    framed: Component = dmc.Paper(
        [child for child in children if child is not None],
        className=class_name,
        withBorder=True,
        p="md",
    )
    return framed


def aria(**attributes: str) -> dict[str, Any]:
    """`aria(label="Pages")` is the attribute aria-label."""
    return {f"aria-{name}": value for name, value in attributes.items()}
