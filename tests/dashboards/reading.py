"""Reads what a component shows, and asks callbacks as a browser does."""

import json
from collections.abc import Iterator
from typing import Any

from dash import Dash, html
from plotly.utils import PlotlyJSONEncoder

WBR = json.loads(json.dumps(html.Wbr(), cls=PlotlyJSONEncoder))


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


def answer(app: Dash, client: Any, part: str, **values: Any) -> dict[str, Any]:
    """What the callback that fills `part` gives when its inputs have `values` by id: properties
    by `id.property`."""
    wanted = f"{part}.children"
    output = next(key for key in app.callback_map if wanted in key.strip(".").split("..."))
    spec = app.callback_map[output]
    targets = [
        dict(zip(("id", "property"), target.rsplit(".", 1), strict=True))
        for target in output.strip(".").split("...")
    ]

    def given(items: list[dict[str, str]]) -> list[dict[str, Any]]:
        return [{**item, "value": values.get(item["id"])} for item in items]

    inputs = given(spec["inputs"])
    body = {
        "output": output,
        "outputs": targets if len(targets) > 1 else targets[0],
        "inputs": inputs,
        "state": given(spec["state"]),
        "changedPropIds": [f"{inputs[0]['id']}.{inputs[0]['property']}"],
    }
    response = client.post("/_dash-update-component", json=body)
    assert response.status_code == 200, response.get_data(as_text=True)
    filled = response.get_json()["response"]
    return {f"{one}.{name}": value for one, own in filled.items() for name, value in own.items()}


def _texts(node: Any) -> Iterator[str]:
    if isinstance(node, str | int | float) and not isinstance(node, bool):
        yield str(node)
    elif isinstance(node, list) and WBR in node:  # a word that may break is one word
        yield "".join(item for item in node if item != WBR)
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
