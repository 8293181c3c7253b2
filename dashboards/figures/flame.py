"""A flame graph as the browser's script draws it: columns, each name once."""

from typing import Any

from profiler.records import FlameGraph
from profiler.vocabulary import ORIGINS

__all__ = ["flame_payload"]

DIGITS = 7


def flame_payload(graph: FlameGraph, label_a: str, label_b: str = "") -> dict[str, Any]:
    """`name` holds indexes into `names`; `b` is empty for a graph of one side."""
    names = list(dict.fromkeys(graph.name))
    number = {name: at for at, name in enumerate(names)}
    return {
        "names": names,
        "name": [number[name] for name in graph.name],
        "parent": list(graph.parent),
        "origin": list(graph.origin),
        "origins": list(ORIGINS),
        "a": [round(share, DIGITS) for share in graph.share_a],
        "b": [round(share, DIGITS) for share in graph.share_b],
        "samplesA": graph.samples_a,
        "samplesB": graph.samples_b,
        "labelA": label_a,
        "labelB": label_b,
        "pruned": graph.pruned_share,
        "mark": list(graph.mark),
    }
