"""The main job on real servers: the demo finds what was planted, and nothing else."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def tell(home: Path, story: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "dynoscope", "demo", "up", "--story", story]
    command += ["--speed", "short", "--home", str(home), "--then-down"]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=580)


@pytest.mark.parametrize(
    ("story", "lines"),
    [
        ("regression", ["affinity_score", "GET /api/v1/feed/", "deploy of r2"]),
        ("none", ["no regression", "no alert"]),
    ],
)
def test_the_demo_tells_its_story(tmp_path: Path, story: str, lines: list[str]) -> None:
    told = tell(tmp_path / "demo", story)
    assert told.returncode == 0, told.stdout[-4000:] + told.stderr[-2000:]
    for line in lines:
        assert line in told.stdout
