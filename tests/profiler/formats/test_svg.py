from xml.etree import ElementTree

import numpy as np
import pytest

from profiler.calltree import Stack, flame_graph
from profiler.formats.svg import flame_svg

EVIL = 'm:<script>alert("1")</script>\x07'
STACKS = [
    Stack(("m:feed", "m:old"), (0, 0)),
    Stack(("m:feed", "m:new"), (0, 0)),
    Stack(("m:feed", EVIL), (0, 0)),
]
A, B = np.array([40.0, 0, 60]), np.array([0, 50.0, 50])


def test_a_difference_marks_what_is_new_and_what_vanished():
    graph = flame_graph(STACKS, A, B, samples_a=100, samples_b=100)
    for side, there, gone in (("a", "m:old", "m:new"), ("b", "m:new", "m:old")):
        root = ElementTree.fromstring(flame_svg(graph, side))
        names = [one.get("data-name") for one in root]
        assert there in names
        assert gone not in names
        titles = [one.findtext("{http://www.w3.org/2000/svg}title") for one in root]
        word = "vanished: m:old 40.00% to 0.00%" if side == "a" else "new: m:new 0.00% to 50.00%"
        assert word in titles
        assert "<script" not in flame_svg(graph, side)


def test_widths_are_shares():
    graph = flame_graph(STACKS, A, None, samples_a=100)
    root = ElementTree.fromstring(flame_svg(graph))
    widths = {one.get("data-name"): float(one[1].get("width")) for one in root}
    assert widths["m:old"] / widths["all"] == pytest.approx(0.4, abs=0.01)
