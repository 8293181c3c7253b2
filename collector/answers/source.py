"""Which lines of a function cost what, on one side or two?"""

from collections.abc import Mapping
from dataclasses import replace

from collector.answers.records import Answer
from collector.answers.sides import Side
from collector.answers.sources.places import Place, Places
from collector.answers.sources.text import NoSource, SourceText
from collector.errors import BadQuestion
from collector.store import line_reads, reads
from collector.store.store import Store, truncated
from profiler.source import LineWeight, MeasuredSide, SourceSide, SourceView, source_view
from profiler.source_text import Touch, candidates

__all__ = ["source"]

NOTHING = float("nan")
WITHOUT_LINES = "samples of lines are not kept by flag or runtime"


def source(
    store: Store,
    a: Side,
    b: Side | None = None,
    *,
    service: str,
    function: str,
    endpoint: str = "",
    was: str = "",
    places: Places | None = None,
) -> Answer[SourceView]:
    """Lines of a function with samples on both sides, beside its source where that is at hand.

    `endpoint` empty: all endpoints. `was`: its name on side a, where it was renamed.
    """
    if ":" not in function:
        raise BadQuestion("function is needed, such as function=feed.ranking:score.")
    places = places or Places()
    texts: dict[SourceSide, SourceText] = {}
    notes: list[str] = []
    cut = False
    measured = []
    for side, name in ((a, was or function), (b, function)):
        if side is not None:
            one, text, is_cut = _measured(store, side, service, name, endpoint, places)
            measured.append(one)
            cut = cut or is_cut
            if text is not None:
                texts[one.side] = text

    def blame(side: SourceSide, first: int, last: int) -> Mapping[int, Touch]:
        if side not in texts:
            return {}
        try:
            return places.of(service).blame(texts[side], first, last)
        except NoSource as error:
            notes.append(f"commits of lines are not known: {error}")
            return {}

    other = measured[1] if b is not None else None
    view = source_view(service, endpoint, function, measured[0], other, blame)
    return Answer(
        replace(view, notes=(*view.notes, *notes)),
        unit="cpu_ns",
        truncated=cut,
        as_of_ms=max(side.to_ms for side in (a, b) if side is not None),
    )


def _measured(
    store: Store, side: Side, service: str, function: str, endpoint: str, places: Places
) -> tuple[MeasuredSide, SourceText | None, bool]:
    """A side's lines, of the release and file with most samples; its text; if rows were cut."""
    table = line_reads.line_samples(store, side, service, function, endpoint)
    rows = table.to_pylist()
    by_text: dict[tuple[str, str], int] = {}
    for row in rows:
        key = (row["release"], row["file"])
        by_text[key] = by_text.get(key, 0) + row["sample_count"]
    release, file = max(by_text, key=lambda key: by_text[key], default=(side.release, ""))
    lines = {
        row["line"]: LineWeight(row["sample_count"], row["self_count"], row["weight_sum"])
        for row in rows
        if (row["release"], row["file"]) == (release, file)
    }
    text, reason = None, ""
    try:
        text = _text(store, places.of(service), service, release, file, function)
    except NoSource as error:
        reason = str(error)
    samples, weight_s = line_reads.sample_sums(store, side, service, endpoint)
    per_weight_ns = _clock_ns(store, side, service, endpoint) / weight_s if weight_s else NOTHING
    weight = sum(one.weight_s for one in lines.values())
    about = SourceSide(
        label=side.label,
        release=release,
        file=text.path if text else file,
        commit=text.commit if text else "",
        samples=sum(one.samples for one in lines.values()),
        side_samples=samples,
        cost_ns=weight * per_weight_ns,
        reason=reason,
    )
    whole = MeasuredSide(about, lines, text.text if text else "", per_weight_ns)
    return whole, text, truncated(table)


def _text(
    store: Store, place: Place, service: str, release: str, file: str, function: str
) -> SourceText:
    if not file:
        raise NoSource("no line of it was sampled on this side in this time")
    paths = candidates(file, function)
    if not paths:
        raise NoSource(f"{file!r} is no file of {function.partition(':')[0]}")
    deploys = reads.deploy_of(store, service, release).to_pylist()
    commits = [commit for deploy in deploys for commit in deploy["commits"]]
    return place.text(release, commits, paths)


def _clock_ns(store: Store, side: Side, service: str, endpoint: str) -> float:
    """Thread CPU time per request; nan without requests."""
    span_ms = max(side.to_ms - side.from_ms, 1)
    requests = reads.request_windows(store, side, service, endpoint, window_ms=span_ms)
    served = float(requests["n"].to_numpy().sum())
    return float(requests["task_clock_sum"].to_numpy().sum()) / served if served else NOTHING
