import numpy as np

from profiler.calltree import Stack
from profiler.renames import renamed, with_names

A = (
    Stack(("app:feed", "old.rank:rank", "old.rank:score"), (0, 0, 0)),
    Stack(("app:feed", "old.rank:rank", "json:dumps"), (0, 0, 2)),
    Stack(("app:feed", "app:load"), (0, 0)),
)
B = (
    Stack(("app:feed", "new.rank:rank", "new.rank:score"), (0, 0, 0)),
    Stack(("app:feed", "new.rank:rank", "json:dumps"), (0, 0, 2)),
    Stack(("app:feed", "app:load"), (0, 0)),
)


def match(a, b, seen_a, seen_b):
    zeros_a, zeros_b = [0.0] * len(a), [0.0] * len(b)
    return renamed((*a, *b), np.array([*seen_a, *zeros_b]), np.array([*zeros_a, *seen_b]))


def test_a_moved_module_is_followed_with_callers_and_callees():
    assert match(A, B, (60, 40, 100), (70, 45, 90)) == {
        "new.rank:rank": "old.rank:rank",
        "new.rank:score": "old.rank:score",
    }


def test_a_function_with_other_callees_is_another():
    other = (Stack(("app:feed", "app:cache", "redis:get"), (0, 0, 1)), *B[2:])
    assert match(A, other, (60, 40, 100), (100, 90)) == {}


def test_a_function_of_another_size_is_another():
    assert match(A, B, (20, 20, 400), (200, 200, 40)) == {}


def test_few_samples_may_miss_a_function_by_chance():
    assert match(A, B, (2, 2, 100), (3, 1, 100)) == {}


def test_functions_on_both_sides_keep_their_names():
    assert match(A, A, (60, 40, 100), (60, 40, 100)) == {}


def test_with_names():
    assert with_names(A[2:], {"app:load": "app:fetch"})[0].frames == ("app:feed", "app:fetch")
