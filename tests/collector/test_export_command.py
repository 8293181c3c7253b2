"""`dynoscope export` and `compare --html` against a real server."""

import gzip
import json
import os
import shutil
import subprocess
from html.parser import HTMLParser

import pytest
from click.testing import CliRunner

from collector.command import compare
from collector.export_command import export
from profiler.formats.collapsed import parse_collapsed
from profiler.formats.pprof import parse_pprof
from tests.collector import rows


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """A server with two releases; gives the arguments that name it."""
    from tests.collector.serve_process import seeded_server

    with seeded_server(tmp_path_factory.mktemp("data")) as arguments:
        yield arguments


def run(command, *arguments: str):
    return CliRunner().invoke(command, list(arguments))


def test_every_format_holds_the_same_samples(served, tmp_path):
    sent = {}
    for form in ("pprof", "collapsed", "speedscope", "html"):
        out = tmp_path / form
        done = run(export, "r1", "--format", form, "--out", str(out), *served)
        assert done.exit_code == 0, done.output
        sent[form] = out.read_bytes()
    stacks = parse_pprof(sent["pprof"])
    plain = parse_collapsed(sent["collapsed"].decode())
    assert [(one.frames, one.samples) for one in stacks] == [
        (one.frames, one.samples) for one in plain
    ]
    assert {one.frames for one in stacks} == set(rows.STACKS)
    weights = json.loads(sent["speedscope"])["profiles"][0]["weights"]
    assert weights == [one.cpu_ns for one in stacks]
    # A sample stands for 50 ms in these rows.
    assert sum(weights) == pytest.approx(sum(one.samples for one in stacks) * 50e6, rel=1e-6)
    assert b"<svg" in sent["html"]


def test_a_file_of_another_tool_becomes_any_format(tmp_path):
    given = tmp_path / "given.txt"
    given.write_text("main;work 3\nmain 1\n")
    for form, other in (("pprof", "collapsed"), ("collapsed", "pprof")):
        one, two = tmp_path / form, tmp_path / f"{form}2"
        for source, target, kind in ((given, one, form), (one, two, other)):
            done = run(export, "--from-file", str(source), "--format", kind, "--out", str(target))
            assert done.exit_code == 0, done.output
    assert (tmp_path / "pprof2").read_text() == given.read_text()


def test_what_cannot_be_read_or_asked_is_one_sentence(served, tmp_path):
    broken = tmp_path / "broken"
    broken.write_bytes(b"\x1f\x8b\x00\x00garbage")
    done = run(export, "--from-file", str(broken), "--out", str(tmp_path / "x"))
    assert (done.exit_code, done.output.count("\n")) == (2, 1)
    done = run(export, "r77", "--out", str(tmp_path / "x"), *served)
    assert done.exit_code == 2
    assert "no on-CPU sample" in done.output


class Page(HTMLParser):
    def __init__(self):
        super().__init__()
        self.loaded, self.svgs = [], 0

    def handle_starttag(self, tag, attrs):
        self.svgs += tag == "svg"
        self.loaded += [value for name, value in attrs if name in ("src", "href")]


def test_a_comparison_is_one_file_that_loads_nothing(served, tmp_path):
    out = tmp_path / "report.html"
    done = run(compare, "r1", "r2", "--html", str(out), *served)
    assert done.exit_code == 0, done.output
    text = out.read_text()
    page = Page()
    page.feed(text)
    assert page.loaded == []
    assert page.svgs == 2
    for word in ("feed.ranking:rank", "traffic", "GET /api/v1/feed/", "95% interval", "r1", "r2"):
        assert word in text
    done = run(compare, "r1", "r2", "--html", str(tmp_path / "no" / "x"), *served)
    assert done.exit_code == 2


@pytest.mark.long
def test_go_opens_it(served, tmp_path):
    out = tmp_path / "r1.pb.gz"
    assert run(export, "r1", "--out", str(out), *served).exit_code == 0
    go = shutil.which("go", path=f"{os.environ['PATH']}:/usr/local/go/bin")
    assert go, "this test needs Go"
    shown = subprocess.run(
        [go, "tool", "pprof", "-top", "-sample_index=samples", str(out)],
        capture_output=True, text=True, timeout=300, check=True,
        env={**os.environ, "HOME": str(tmp_path), "GOFLAGS": "-mod=mod"},
    ).stdout  # fmt: skip
    total = sum(one.samples for one in parse_pprof(out.read_bytes()))
    assert f"of {total} total" in shown or f"{total} total" in shown
    assert "feed.ranking:rank" in shown
    assert gzip.decompress(out.read_bytes())
