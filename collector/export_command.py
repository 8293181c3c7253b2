"""`dynoscope export`: the stacks of a side, or of a file, for other tools."""

import sys
from pathlib import Path
from typing import Any

import click

from collector.client import AskError, ask, default_data_dir
from collector.report import flame_of
from profiler.calltree import Stack, flame_graph
from profiler.formats.collapsed import collapsed, parse_collapsed
from profiler.formats.pprof import parse_pprof, pprof
from profiler.formats.speedscope import speedscope
from profiler.formats.svg import flame_svg
from profiler.formats.weighted import FormatError, WeightedStack, stacks_of

__all__ = ["export"]

EXIT_UNANSWERED = 2
EVERYTHING = "0"
NS_PER_S = 1e9


@click.command(epilog="Example: dynoscope export release:r2 --format pprof --out r2.pb.gz")
@click.argument("side", default="")
@click.option(
    "--format",
    "form",
    type=click.Choice(["pprof", "speedscope", "collapsed", "html"]),
    default="pprof",
    show_default=True,
    help="What to write.",
)
@click.option("--out", type=click.Path(path_type=Path), required=True, help="File to write.")
@click.option(
    "--from-file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Read a pprof or collapsed file instead of asking.",
)
@click.option("--service", default="", help="Service; needed when several send data.")
@click.option("--endpoint", default="", help="Only this endpoint, such as 'GET /api/v1/feed/'.")
@click.option("--window", default="-1h", show_default=True, help="How far back to look.")
@click.option("--url", default="http://127.0.0.1:8600", show_default=True, help="Read API.")
@click.option("--token-file", type=click.Path(path_type=Path), help="Read token [data folder's].")
def export(
    side: str,
    form: str,
    out: Path,
    from_file: Path | None,
    service: str,
    endpoint: str,
    window: str,
    url: str,
    token_file: Path | None,
) -> None:
    """Write the on-CPU stacks of SIDE (all: leave it out) as pprof, speedscope, collapsed or html.

    SIDE is a release (r2), or key:value as for `compare`.
    """
    named = side if not side or ":" in side else f"release:{side}"
    asked = {"a": named, "service": service, "endpoint": endpoint, "from": window}
    try:
        if from_file:
            name, stacks = from_file.name, _read(from_file)
        else:
            token = token_file or default_data_dir() / "read.token"
            name, stacks = named or "all", _ask(url, token, asked)
        if not stacks:
            raise AskError("there is no on-CPU sample of that")
        out.write_bytes(_written(stacks, form, f"{name} {endpoint}".strip()))
    except (AskError, FormatError) as error:
        click.echo(f"export: {error}", err=True)
        sys.exit(EXIT_UNANSWERED)
    except OSError as error:
        click.echo(f"export: cannot write {out} ({error.strerror})", err=True)
        sys.exit(EXIT_UNANSWERED)
    click.echo(f"{out}: {sum(one.samples for one in stacks)} samples in {len(stacks)} stacks")


def _ask(url: str, token: Path, asked: dict[str, Any]) -> list[WeightedStack]:
    answer = ask(url, token, "flamegraph", {**asked, "share_min": EVERYTHING})
    graph = flame_of(answer["data"])
    if graph.pruned_share > 0:
        click.echo(f"export: {graph.pruned_share:.1%} in small calls counts to callers", err=True)
    return stacks_of(graph, "a", graph.cpu_s_a * NS_PER_S)


def _read(path: Path) -> list[WeightedStack]:
    data = path.read_bytes()
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return parse_pprof(data)
    return parse_collapsed(text) if text[:1].isprintable() else parse_pprof(data)


def _written(stacks: list[WeightedStack], form: str, name: str) -> bytes:
    if form == "pprof":
        return pprof(stacks)
    if form == "speedscope":
        return speedscope(stacks, name).encode()
    if form == "collapsed":
        return collapsed(stacks).encode()
    return _page(stacks).encode()


def _page(stacks: list[WeightedStack]) -> str:
    import numpy as np

    trees = [Stack(one.frames, (0,) * len(one.frames)) for one in stacks]
    weights = np.array([float(one.samples) for one in stacks])
    graph = flame_graph(trees, weights, None, samples_a=int(weights.sum()))
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Flame graph</title>'
        f"</head><body>{flame_svg(graph)}</body></html>\n"
    )
