import pytest

from profiler.source_text import Touch, aligned, candidates, parse_blame, span_of

TEXT = """\
import functools

LIMIT = 3


class Feed:
    class Meta:
        def rank(self):
            return 1

    @functools.cache
    def rank(self):
        def key(one):
            return -one

        return sorted((one for one in self), key=key)


async def rank():
    return [lambda: 1]
"""


@pytest.mark.parametrize(
    ("file", "function", "paths"),
    [
        ("/srv/app/feed/ranking.py", "feed.ranking:rank",
         ("srv/app/feed/ranking.py", "app/feed/ranking.py", "feed/ranking.py")),
        ("/srv/app/feed/__init__.py", "feed:rank", ("srv/app/feed/__init__.py",
         "app/feed/__init__.py", "feed/__init__.py")),
        ("main.py", "main:<module>", ("main.py",)),
        ("/srv/app/feed.py", "other:rank", ()),
        ("/srv/../etc/feed.py", "feed:rank", ()),
        ("/srv/./feed.py", "feed:rank", ()),
        ("/srv/secret.env", "secret:x", ()),
        ("/srv/fe\0ed.py", "fe\0ed:x", ()),
        ("", "feed:rank", ()),
    ],
)  # fmt: skip
def test_candidates_are_plain_and_not_shorter_than_the_module(file, function, paths):
    assert candidates(file, function) == paths


@pytest.mark.parametrize(
    ("function", "samples", "span"),
    [
        ("feed:Feed.rank", {}, (11, 16)),
        ("feed:Feed.Meta.rank", {}, (8, 9)),
        ("feed:Feed.rank.<locals>.key", {}, (13, 14)),
        ("feed:Feed.rank.<locals>.<genexpr>", {}, (11, 16)),
        ("feed:rank.<locals>.<listcomp>", {}, (19, 20)),
        ("feed:rank.<locals>.<listcomp>.<locals>.<lambda>", {}, (19, 20)),
        ("feed:<module>", {}, (1, 20)),
        ("feed:<lambda>", {}, (1, 20)),
        ("feed:rank", {9: 5, 12: 2}, (8, 9)),
        ("feed:rank", {9: 2, 12: 5}, (11, 16)),
        ("feed:gone", {}, None),
    ],
)
def test_a_function_is_found_by_its_qualified_name(function, samples, span):
    assert span_of(TEXT, function, samples) == span


def test_a_text_that_is_no_python_has_no_functions():
    assert span_of("def f(:\n", "m:f", {}) is None
    assert span_of("(" * 5_000, "m:f", {}) is None
    assert span_of("a\0b", "m:f", {}) is None
    assert span_of("print 1", "m:<module>", {}) == (1, 1)


def test_lines_are_matched_across_edits():
    assert aligned(["a", "b", "c"], ["x", "a", "c", "d"]) == [
        (-1, 0), (0, 1), (1, -1), (2, 2), (-1, 3),
    ]  # fmt: skip
    assert aligned([], ["a"]) == [(-1, 0)]


def test_blame_is_read_with_text_that_looks_like_it():
    first, second = "a" * 40, "b" * 40
    text = (
        f"{first} 10 3 2\nauthor Ada Lovelace\nauthor-time 1700000000\nsummary Count\n"
        "filename feed.py\n\tauthor Mallory\n"
        f"{second} 1 4\nauthor \nauthor-time never\nsummary \nboundary\nfilename feed.py\n\t\n"
    )
    assert parse_blame(text) == {
        3: Touch(first, "Ada Lovelace", 1_700_000_000_000, "Count"),
        4: Touch(second, "", 0, ""),
    }
    assert parse_blame("") == {}
