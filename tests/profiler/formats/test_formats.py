"""Each format against another reader, and against itself."""

import gzip
import json
import random

import numpy as np
import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from hypothesis import given
from hypothesis import strategies as st

from profiler.calltree import Stack, flame_graph
from profiler.formats.collapsed import collapsed, parse_collapsed
from profiler.formats.pprof import parse_pprof, pprof
from profiler.formats.speedscope import speedscope
from profiler.formats.weighted import FormatError, WeightedStack, stacks_of

STACKS = [
    WeightedStack(("app:feed", "app:rank", "json:dumps"), 12, 12_000_000),
    WeightedStack(("app:feed", "app:rank"), 3, 3_000_000),
    WeightedStack(("app:feed",), 5, 5_000_000),
]
#: profile.proto: message -> field -> (number, type, repeated); types of messages by name.
PROTO = {
    "ValueType": {"type": (1, "int64"), "unit": (2, "int64")},
    "Line": {"function_id": (1, "uint64"), "line": (2, "int64")},
    "Sample": {"location_id": (1, "uint64", True), "value": (2, "int64", True)},
    "Location": {"id": (1, "uint64"), "mapping_id": (2, "uint64"), "address": (3, "uint64"),
                 "line": (4, "Line", True)},
    "Function": {"id": (1, "uint64"), "name": (2, "int64"), "system_name": (3, "int64"),
                 "filename": (4, "int64"), "start_line": (5, "int64")},
    "Profile": {"sample_type": (1, "ValueType", True), "sample": (2, "Sample", True),
                "location": (4, "Location", True), "function": (5, "Function", True),
                "string_table": (6, "string", True), "time_nanos": (9, "int64"),
                "period_type": (11, "ValueType"), "period": (12, "int64")},
}  # fmt: skip


def profile_class():
    kinds = descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(name="p.proto", package="p", syntax="proto3")
    for name, members in PROTO.items():
        message = file.message_type.add(name=name)
        for field, (number, kind, *repeated) in members.items():
            one = message.field.add(name=field, number=number, label=3 if repeated else 1)
            if kind in PROTO:
                one.type, one.type_name = kinds.TYPE_MESSAGE, f".p.{kind}"
            else:
                one.type = getattr(kinds, f"TYPE_{kind.upper()}")
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("p.Profile"))


Profile = profile_class()


def test_pprof_is_read_by_protobuf():
    read = Profile.FromString(gzip.decompress(pprof(STACKS, time_ns=7)))
    text = read.string_table
    assert text[0] == ""
    assert [(text[t.type], text[t.unit]) for t in read.sample_type] == [
        ("samples", "count"),
        ("cpu", "nanoseconds"),
    ]
    names = {function.id: text[function.name] for function in read.function}
    places = {place.id: names[place.line[0].function_id] for place in read.location}
    found = [
        WeightedStack(tuple(places[at] for at in reversed(one.location_id)), *one.value)
        for one in read.sample
    ]
    assert found == STACKS
    assert read.time_nanos == 7
    assert all(place.id for place in read.location)


FRAME = st.text(st.characters(blacklist_categories=("Cs", "Cc")), min_size=1, max_size=8)
WHOLE = st.integers(0, 2**62)


@given(st.lists(st.builds(WeightedStack, st.lists(FRAME, min_size=1).map(tuple), WHOLE, WHOLE)))
def test_pprof_comes_back_as_it_went(stacks):
    if stacks:
        assert parse_pprof(pprof(stacks)) == stacks


def test_inlined_calls_and_unzipped_profiles_of_other_tools_are_read():
    read = Profile(string_table=["", "cpu", "nanoseconds", "outer", "inner"])
    read.sample_type.add(type=1, unit=2)
    for at in (1, 2):
        read.function.add(id=at, name=2 + at)
    place = read.location.add(id=9)
    place.line.add(function_id=2)
    place.line.add(function_id=1)
    read.sample.add(location_id=[9], value=[500])
    assert parse_pprof(read.SerializeToString()) == [WeightedStack(("outer", "inner"), 1, 500)]


@pytest.mark.parametrize("data", [b"", b"no profile", b"\x1f\x8bzz", b"\x12\xff", b"\x0f"])
def test_what_is_no_profile_is_refused_with_a_sentence(data):
    with pytest.raises(FormatError, match=r"\w+ \w+"):
        parse_pprof(data)


def test_garbled_profiles_never_raise_anything_else():
    whole = gzip.decompress(pprof(STACKS))
    rng = random.Random(1)
    for _ in range(500):
        garbled = bytearray(whole[: rng.randrange(len(whole))])
        for _ in range(3):
            if garbled:
                garbled[rng.randrange(len(garbled))] = rng.randrange(256)
        try:
            parse_pprof(bytes(garbled))
        except FormatError:
            continue


def test_collapsed():
    assert collapsed(STACKS) == "app:feed;app:rank;json:dumps 12\napp:feed;app:rank 3\napp:feed 5\n"
    back = parse_collapsed(collapsed(STACKS))
    assert [(one.frames, one.samples) for one in back] == [
        (one.frames, one.samples) for one in STACKS
    ]
    assert collapsed([WeightedStack(("a;b c\nd",), 1)]) == "a,b c d 1\n"
    with pytest.raises(FormatError, match="line 2"):
        parse_collapsed("a;b 1\nnothing\n")


def test_speedscope():
    found = json.loads(speedscope(STACKS, "feed"))
    (profile,) = found["profiles"]
    names = [frame["name"] for frame in found["shared"]["frames"]]
    assert [[names[at] for at in stack] for stack in profile["samples"]][1] == ["feed", "rank"]
    assert profile["weights"] == [12_000_000, 3_000_000, 5_000_000]
    assert profile["endValue"] == sum(profile["weights"])
    assert profile["unit"] == "nanoseconds"
    assert {"$schema", "shared", "profiles", "name"} <= found.keys()


def test_a_call_tree_comes_out_as_the_stacks_that_it_was_made_of():
    given = [Stack(one.frames, (0,) * len(one.frames)) for one in STACKS]
    weights = np.array([float(one.samples) for one in STACKS])
    graph = flame_graph(given, weights, None, samples_a=20, share_min=0)
    found = {one.frames: (one.samples, one.cpu_ns) for one in stacks_of(graph, "a", 20e6)}
    assert found == {one.frames: (one.samples, one.cpu_ns) for one in STACKS}


@given(st.lists(st.floats(0.1, 50), min_size=1, max_size=20))
def test_samples_stay_whole_and_keep_their_sum(weights):
    given = [Stack((f"m:f{at}",), (0,)) for at in range(len(weights))]
    graph = flame_graph(given, np.array(weights), None, samples_a=1_000, share_min=0)
    assert sum(one.samples for one in stacks_of(graph)) == 1_000
