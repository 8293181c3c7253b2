"""Dumps as callgrind 3.19 writes them."""

import pytest

from profiler.gate.callgrind import (
    FRAMEWORK,
    graph_of,
    label_of,
    luck_of,
    read_dump,
    self_by_symbol,
)

DUMP = """# callgrind format
version: 1
desc: Timerange: Basic block 0 - 775896
desc: Trigger: Client Request: 3

positions: line
events: Ir
summary: 1000

ob=(5) /usr/bin/python3.11
fl=(12) ???
fn=(1) (below main)
0 100
cob=(6) /tmp/shim.so
cfi=(13) ???
cfn=(2) Zgate_000
calls=2 0
0 900

fn=(2)
0 300
+3 100
cfn=(3) Zgate_00a
calls=4 0
* 500

fn=(3)
0 500
"""


def test_label_and_total() -> None:
    assert label_of(DUMP) == ("3", 1000)
    assert label_of("summary: 7\n") == ("", 7)
    with pytest.raises(ValueError, match="no summary"):
        label_of("nothing")


def test_costs_and_calls_by_symbol() -> None:
    dump = read_dump(DUMP)
    assert dump.own == {"(below main)": 100, "Zgate_000": 400, "Zgate_00a": 500}
    assert dump.calls == {
        ("(below main)", "Zgate_000"): (2, 900),
        ("Zgate_000", "Zgate_00a"): (4, 500),
    }
    assert sum(dump.own.values()) == dump.total


def test_misses_of_the_cache_of_attributes_with_what_they_call() -> None:
    assert luck_of(read_dump(DUMP)) == {"memory": (0, 0), "attributes": (0, 0)}
    named = DUMP.replace("(2) Zgate_000", "(2) _PyType_Lookup")
    assert luck_of(read_dump(named)) == {"memory": (0, 0), "attributes": (2, 500)}


def test_allocators_cost_what_they_do_themselves_and_are_called_from_outside() -> None:
    named = DUMP.replace("(2) Zgate_000", "(2) malloc").replace("(3) Zgate_00a", "(3) _int_malloc")
    assert luck_of(read_dump(named))["memory"] == (2, 900)
    constant = named.replace("_int_malloc", "unlink_chunk.constprop.0")
    assert luck_of(read_dump(constant))["memory"] == (2, 900)
    assert luck_of(read_dump(named.replace("(2) malloc", "(2) mallocs")))["memory"] == (4, 500)


def test_the_graph_is_per_request_and_names_the_functions() -> None:
    names = [f"shop:f{number}" for number in range(11)]
    graph = graph_of([read_dump(DUMP), read_dump(DUMP)], names, requests=2)
    assert {one.name: one.own for one in graph.functions} == {
        FRAMEWORK: 50,
        "shop:f0": 200,
        "shop:f10": 250,
    }
    assert [(c.caller, c.callee, c.calls, c.inclusive) for c in graph.calls] == [
        (FRAMEWORK, "shop:f0", 1, 450),
        ("shop:f0", "shop:f10", 2, 250),
    ]


def test_levels_of_recursion_are_one_function() -> None:
    text = DUMP.replace("Zgate_00a", "Zgate_000'2").replace("(below main)", "list_sort'3")
    graph = graph_of([read_dump(text)], ["shop:f"], requests=1)
    assert {one.name: one.own for one in graph.functions} == {FRAMEWORK: 100, "shop:f": 900}
    assert self_by_symbol([read_dump(text)], 1) == {"list_sort": 100, "Zgate_000": 900}
