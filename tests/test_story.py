"""The main job on real servers: the demo finds what was planted, and nothing else."""

import subprocess
import sys
from pathlib import Path

import pytest

#: It measures CPU: no other test runs beside it.
pytestmark = pytest.mark.alone

ROOT = Path(__file__).parent.parent
FOUND = ("affinity_score", "GET /api/v1/feed/", "deploy    r")
NOTHING = ("no endpoint is reported as dearer", "no alert about the service")


def tell(home: Path, *arguments: str) -> str:
    command = [sys.executable, "-m", "dynoscope", "demo", "up", "--home", str(home), "--then-down"]
    told = subprocess.run(
        [*command, *arguments], cwd=ROOT, capture_output=True, text=True, timeout=1_500
    )
    assert told.returncode == 0, told.stdout[-4000:] + told.stderr[-2000:]
    return told.stdout


@pytest.mark.timeout(1800)
def test_the_demo_tells_its_stories(tmp_path: Path) -> None:
    told = tell(tmp_path / "demo", "--story", "both", "--speed", "short")
    harmless, rolled_out, regression = told.partition("rolling out release r3")
    assert rolled_out
    for text, lines in ((harmless, NOTHING), (regression, FOUND)):
        for line in lines:
            assert line in text


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize(
    ("story", "lines", "seed"), [("regression", FOUND, 2), ("none", NOTHING, 3)]
)
def test_the_story_is_the_same_at_full_length(
    tmp_path: Path, story: str, lines: tuple[str, ...], seed: int
) -> None:
    told = tell(tmp_path / "demo", "--story", story, "--seed", str(seed))
    for line in lines:
        assert line in told
