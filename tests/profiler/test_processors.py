import pytest

from profiler.calltree import Stack
from profiler.processors import (
    FOLDS,
    callees_of,
    callers_of,
    clip,
    collapse_recursion,
    group_libraries,
    hide,
    only_own,
    processed,
)

STACK = Stack(
    (
        "django.core:handle",
        "django.views:call",
        "app:feed",
        "json:dumps",
        "json:encode",
        "<native>:x",
    ),
    (1, 1, 0, 2, 2, 3),
)
DEEP = Stack(("m:a", "m:b", "m:a", "m:c"), (0, 0, 0, 0))


def test_callers_and_callees():
    assert callers_of("app:feed")(STACK).frames == (
        "app:feed", "django.views:call", "django.core:handle",
    )  # fmt: skip
    assert callees_of("app:feed")(STACK).frames == STACK.frames[2:]
    assert callers_of("m:a")(DEEP).frames == ("m:a", "m:b", "m:a")
    assert callees_of("m:a")(DEEP).frames == DEEP.frames
    assert callers_of("m:z")(DEEP) is None
    assert callees_of("m:z")(DEEP) is None


def test_recursion_is_one_call():
    assert collapse_recursion(DEEP).frames == ("m:a", "m:c")


def test_libraries_are_grouped_by_package():
    assert group_libraries(STACK) == Stack(
        ("[django]", "app:feed", "[standard library]", "[native]"), (1, 0, 2, 3)
    )


def test_clip_hide_and_own():
    assert clip(2)(STACK) == Stack(STACK.frames[:2], (1, 1))
    assert hide("json:")(STACK).frames == (*STACK.frames[:3], "<native>:x")
    assert only_own(STACK) == Stack(("app:feed",), (0,))


def test_steps_run_in_order_and_what_is_out_stays_out():
    assert processed([STACK, DEEP], [callees_of("app:feed"), clip(1)]) == [
        Stack(("app:feed",), (0,)),
        None,
    ]


@pytest.mark.parametrize("step", [*FOLDS.values(), clip(3), hide("json")])
@pytest.mark.parametrize("stack", [STACK, DEEP, Stack((), ())])
def test_every_processor_keeps_frames_and_origins_together(step, stack):
    found = step(stack)
    assert len(found.frames) == len(found.origins)
    assert step(found) == found
