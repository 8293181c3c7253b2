"""Reads what a component shows, and asks callbacks as a browser does."""

import json
from collections.abc import Iterator
from typing import Any

from dash import Dash
from plotly.utils import PlotlyJSONEncoder


def plain(component: Any) -> Any:
    """A component, or part of one, as the browser gets it."""
    return json.loads(json.dumps(component, cls=PlotlyJSONEncoder))


def texts(component: Any) -> list[str]:
    """Every text beneath a component (or its JSON), in reading order."""
    return list(_texts(plain(component)))


def text(component: Any) -> str:
    return " ".join(texts(component))


def links(component: Any) -> list[str]:
    return [props["href"] for props in _props(plain(component)) if "href" in props]


def with_id(component: Any, wanted: str) -> dict[str, Any]:
    """The properties of the component of that id."""
    return next(props for props in _props(plain(component)) if props.get("id") == wanted)


def answer(app: Dash, client: Any, output: str, **values: Any) -> Any:
    """What the callback of `output` (`id.property`) gives when its inputs have `values` by id."""
    spec = app.callback_map[output]
    target, _, property_name = output.rpartition(".")

    def given(items: list[dict[str, str]]) -> list[dict[str, Any]]:
        return [{**item, "value": values.get(item["id"])} for item in items]

    inputs = given(spec["inputs"])
    body = {
        "output": output,
        "outputs": {"id": target, "property": property_name},
        "inputs": inputs,
        "state": given(spec["state"]),
        "changedPropIds": [f"{inputs[0]['id']}.{inputs[0]['property']}"],
    }
    response = client.post("/_dash-update-component", json=body)
    assert response.status_code == 200, response.get_data(as_text=True)
    return response.get_json()["response"][target][property_name]


def _texts(node: Any) -> Iterator[str]:
    if isinstance(node, str | int | float) and not isinstance(node, bool):
        yield str(node)
    elif isinstance(node, list):
        for item in node:
            yield from _texts(item)
    elif isinstance(node, dict) and "props" in node:
        props = node["props"]
        yield from _texts(props.get("title") if node["type"] == "Alert" else None)
        yield from _texts(props.get("children"))


def _props(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, list):
        for item in node:
            yield from _props(item)
    elif isinstance(node, dict) and "props" in node:
        yield node["props"]
        yield from _props(node["props"].get("children"))
        yield from _props(node["props"].get("title"))
