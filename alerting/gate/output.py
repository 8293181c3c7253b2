"""Where the outputs go: one file a format in a folder, or printed."""

import sys
from collections.abc import Callable
from pathlib import Path

import click
from rich.console import Console

from alerting.gate.errors import GateError
from alerting.gate.reports.html import html_report
from alerting.gate.reports.machine import github_report, json_report, junit_report
from alerting.gate.reports.markdown import markdown_report
from alerting.gate.reports.terminal import terminal_report
from profiler.gate.records import Comparison

__all__ = ["FORMATS", "show"]

#: Format -> its file's name (none: always printed) and its text.
_TEXTS: dict[str, tuple[str, Callable[[Comparison], str]]] = {
    "md": ("gate.md", markdown_report),
    "json": ("gate.json", json_report),
    "junit": ("gate.junit.xml", junit_report),
    "github": ("", github_report),
    "html": ("gate.html", html_report),
}
FORMATS = ("table", *_TEXTS)


def show(comparison: Comparison, formats: str, out: Path | None) -> None:
    """Write or print each format of a list by commas; GateError for one that is unknown."""
    wanted = [name.strip() for name in formats.split(",") if name.strip()]
    for name in wanted:
        if name not in FORMATS:
            raise GateError(f"unknown format {name!r}; known are {', '.join(FORMATS)}")
    for name in wanted:
        if name == "table":
            width = None if sys.stdout.isatty() else 150
            Console(highlight=False, width=width).print(terminal_report(comparison))
            continue
        file, text = _TEXTS[name]
        if out is None or not file:
            click.echo(text(comparison))
        else:
            _write(out / file, text(comparison))


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    except OSError as error:
        raise GateError(f"{path} cannot be written: {error.strerror}") from error
