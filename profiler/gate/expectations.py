"""`# gate: expect +5% feed because ...` in commit messages."""

import re
from collections.abc import Iterable

from profiler.gate.records import Expectation

__all__ = ["read_expectations"]

_LINE = re.compile(r"^\s*#?\s*gate:\s*expect\b(.*)$", re.IGNORECASE | re.MULTILINE)
_WORDS = re.compile(r"\s*\+?(\d+(?:\.\d+)?)%\s+(.+?)\s+because\s+(\S.*?)\s*$", re.IGNORECASE)


def read_expectations(
    messages: Iterable[tuple[str, str]],
) -> tuple[list[Expectation], list[str]]:
    """From (commit, message) pairs: the expectations, and a sentence for each line that is none."""
    found, problems = [], []
    for commit, message in messages:
        for line in _LINE.finditer(message):
            words = _WORDS.match(line[1])
            if words is None:
                problems.append(
                    f"{commit}: {line[0].strip()!r} is not understood; "
                    "write `# gate: expect +5% feed because ...`"
                )
            else:
                found.append(Expectation(float(words[1]) / 100, words[2], words[3], commit))
    return found, problems
