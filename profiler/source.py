"""A function's lines with what they cost on both sides, beside its source where that is at hand."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from profiler.source_text import Touch, aligned, span_of

__all__ = [
    "LineWeight",
    "MeasuredSide",
    "SourceLine",
    "SourceSide",
    "SourceView",
    "hot_lines",
    "source_view",
]

#: A line with this share of its function's samples on a side is hot; at most so many a side.
HOT_SHARE = 0.05
HOT_MAX = 20
#: Longer texts are cut to what is near a line that was sampled or changed.
WHOLE_MAX = 200
CONTEXT = 3
#: Longer functions are not matched line by line.
SPAN_MAX = 3_000
ROWS_MAX = 1_000


@dataclass(frozen=True, slots=True)
class LineWeight:
    """On-CPU samples with the function at one line; in `self_samples` of them it called nothing."""

    samples: int
    self_samples: int
    weight_s: float


NONE = LineWeight(0, 0, 0.0)


@dataclass(frozen=True, slots=True)
class SourceSide:
    """One side of a source view: which text its lines are of, and what the function costs."""

    label: str
    release: str
    #: within the folder or repository of sources; as sampled where the text is not at hand
    file: str
    #: that the text is of; empty where it is from a folder
    commit: str
    #: with the function on the stack, and of the side altogether
    samples: int
    side_samples: int
    #: CPU time of the function with all that it calls, per request; nan without requests
    cost_ns: float
    #: why there is no text; empty where there is
    reason: str


@dataclass(frozen=True, slots=True)
class SourceLine:
    """One line on both sides. Costs are CPU time per request, with what the line calls."""

    #: its number on either side, 0 where that side has no such line
    line_a: int
    line_b: int
    text: str
    samples_a: int
    samples_b: int
    self_samples_a: int
    self_samples_b: int
    cost_ns_a: float
    cost_ns_b: float
    #: last commit of a hot line, where sources are in git
    touched: Touch | None = None


@dataclass(frozen=True, slots=True)
class SourceView:
    """A function's lines in order. `b` None: one side only, and all of its numbers are 0."""

    service: str
    endpoint: str
    function: str
    a: SourceSide
    b: SourceSide | None
    lines: tuple[SourceLine, ...]
    notes: tuple[str, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class MeasuredSide:
    """What a view is made of: `text` empty where it is not at hand, `lines` by number.

    `cost_per_weight_ns`: CPU time per request for each second of weight.
    """

    side: SourceSide
    lines: Mapping[int, LineWeight]
    text: str
    cost_per_weight_ns: float


def source_view(
    service: str,
    endpoint: str,
    function: str,
    a: MeasuredSide,
    b: MeasuredSide | None,
    blame: Callable[[SourceSide, int, int], Mapping[int, Touch]],
) -> SourceView:
    """`blame(side, first, last)`: who touched these lines of a side's text; empty where unknown."""
    notes: list[str] = []
    sides = [_Side.of(one, function, notes) for one in (a, b) if one is not None]
    matched = [
        SourceLine(
            line_a=(line_a := sides[0].numbers[at_a] if at_a >= 0 else 0),
            line_b=(line_b := sides[-1].numbers[at_b] if at_b >= 0 else 0),
            text=sides[-1].text_of(line_b) if line_b else sides[0].text_of(line_a),
            samples_a=(one := a.lines.get(line_a, NONE)).samples,
            samples_b=(two := b.lines.get(line_b, NONE) if b else NONE).samples,
            self_samples_a=one.self_samples,
            self_samples_b=two.self_samples,
            cost_ns_a=one.weight_s * a.cost_per_weight_ns,
            cost_ns_b=two.weight_s * b.cost_per_weight_ns if b else 0.0,
        )
        for at_a, at_b in _matched(sides)
    ]
    return SourceView(
        service,
        endpoint,
        function,
        a.side,
        b.side if b else None,
        tuple(_touched(_near(matched, two=b is not None), sides, blame)),
        tuple(notes),
    )


def hot_lines(lines: Mapping[int, LineWeight]) -> list[int]:
    """Lines with HOT_SHARE of the samples or more, hottest first, at most HOT_MAX."""
    total = sum(one.samples for one in lines.values())
    ordered = sorted(lines, key=lambda line: (-lines[line].samples, line))
    return [line for line in ordered if lines[line].samples >= HOT_SHARE * total][:HOT_MAX]


@dataclass(frozen=True, slots=True)
class _Side:
    """A side with its text cut to the function: `numbers` of all lines to show, in order."""

    measured: MeasuredSide
    texts: Sequence[str]
    span: tuple[int, int] | None
    numbers: Sequence[int]

    @classmethod
    def of(cls, measured: MeasuredSide, function: str, notes: list[str]) -> "_Side":
        span = _span(measured, function, notes)
        inside = range(span[0], span[1] + 1) if span else range(0)
        numbers = sorted({*inside, *measured.lines})
        return cls(measured, measured.text.splitlines(), span, numbers)

    def text_of(self, line: int) -> str:
        return self.texts[line - 1] if 0 < line <= len(self.texts) else ""


def _span(measured: MeasuredSide, function: str, notes: list[str]) -> tuple[int, int] | None:
    """The function's first and last line; `notes` say where samples and text do not fit."""
    if not measured.text:
        return None
    samples = {line: one.samples for line, one in measured.lines.items()}
    span = span_of(measured.text, function, samples)
    name = measured.side.release or measured.side.label
    if span is None:
        notes.append(f"{measured.side.file} of {name} does not have this function")
        return None
    outside = sum(count for line, count in samples.items() if not span[0] <= line <= span[1])
    if outside:
        notes.append(
            f"{outside} of {sum(samples.values())} samples of {name} are on lines outside the "
            "function: what ran there was not this text"
        )
    return span


def _matched(sides: Sequence[_Side]) -> list[tuple[int, int]]:
    """Pairs of places in the sides' numbers, -1 for none. Without both texts nothing matches."""
    first, last = sides[0], sides[-1]
    if len(sides) == 1:
        return [(at, -1) for at in range(len(first.numbers))]
    known = first.span is not None and last.span is not None
    if known and max(len(first.numbers), len(last.numbers)) <= SPAN_MAX:
        return aligned(*([side.text_of(line) for line in side.numbers] for side in sides))
    apart = [(at, -1) for at in range(len(first.numbers))]
    return apart + [(-1, at) for at in range(len(last.numbers))]


def _near(rows: Sequence[SourceLine], *, two: bool) -> list[SourceLine]:
    """All rows of a short function; of a long one those near a line that was sampled or changed."""
    if len(rows) <= WHOLE_MAX:
        return list(rows)
    kept: set[int] = set()
    for at, row in enumerate(rows):
        changed = two and not (row.line_a and row.line_b)
        if row.samples_a or row.samples_b or changed:
            kept.update(range(max(at - CONTEXT, 0), min(at + CONTEXT + 1, len(rows))))
    return [rows[at] for at in sorted(kept)[:ROWS_MAX]]


def _touched(
    rows: Sequence[SourceLine],
    sides: Sequence[_Side],
    blame: Callable[[SourceSide, int, int], Mapping[int, Touch]],
) -> list[SourceLine]:
    """Hot lines with the commit that last touched them, on the newest side that has them."""
    hot = [set(hot_lines(side.measured.lines)) for side in sides]
    touches: list[Mapping[int, Touch]] = [
        blame(side.measured.side, *side.span) if side.span and lines else {}
        for side, lines in zip(sides, hot, strict=True)
    ]

    def touch(row: SourceLine) -> Touch | None:
        if not (row.line_a in hot[0] or row.line_b in hot[-1] and len(sides) > 1):
            return None
        line, of = (row.line_b, touches[-1]) if row.line_b else (row.line_a, touches[0])
        return of.get(line)

    return [replace(row, touched=touch(row)) for row in rows]
