"""`dynoscope canary` against a real collector: exit status, table, JSON, waiting."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from collector.canary_command import PATIENCE_S, canary, watched
from collector.client import AskError
from collector.store.store import open_store
from tests.collector.canary_rows import roll_out
from tests.collector.rows import ENDPOINTS, SERVICE

ROOT = Path(__file__).parents[2]
WORSE = ["--service", SERVICE]


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """Arguments that name a collector with two services; in one of them r2 is worse than r1."""
    data = tmp_path_factory.mktemp("data")
    store = open_store(data)
    try:
        roll_out(store.insert, feed_factor=1.5, wall_factor=2, error_share=0.1)
        roll_out(store.insert, service="like", held_mb=101)
    finally:
        store.close()
    command = [sys.executable, "-m", "tests.collector.serving", str(data)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            word, port = process.stdout.readline().split()
            assert word == "ready"
            yield [
                "--url", f"http://127.0.0.1:{port}", "--token-file", str(data / "read.token"),
                "--control", "r1", "--release",
            ]  # fmt: skip
        finally:
            process.terminate()
            process.wait(60)


def test_a_worse_release_ends_with_1_and_says_what_is_worse(server):
    result = CliRunner().invoke(canary, [*server, "r2", "--for", "10m", *WORSE])
    assert result.exit_code == 1, result.output
    assert "r2 is worse than r1" in result.output
    assert "status codes" in result.output and ENDPOINTS[0] in result.output
    assert "unit of error: host" in result.output


def test_one_that_is_not_ends_with_0(server):
    result = CliRunner().invoke(canary, [*server, "r2", "--for", "600s", "--service", "like"])
    assert result.exit_code == 0, result.output
    assert "r2 is no worse than r1 at the same minutes" in result.output


def test_json_is_the_answer(server):
    result = CliRunner().invoke(canary, [*server, "r2", "--json", *WORSE])
    assert result.exit_code == 1
    answer = json.loads(result.output)
    assert (answer["unit"], answer["data"]["verdict"]) == ("cpu_ns", "regression")
    assert answer["data"]["look"] < answer["data"]["looks"], "it ends early"


def test_one_that_never_served_ends_with_2(server):
    result = CliRunner().invoke(canary, [*server, "r9", "--no-wait", *WORSE])
    assert result.exit_code == 2
    assert "r9 has not served yet" in result.output


def test_accepted_rises_are_accepted(server):
    wide = [f"--max-{name}-rise" for name in ("cost", "latency", "error", "status", "memory")]
    accepted = [word for flag in wide for word in (flag, "99%")]
    result = CliRunner().invoke(canary, [*server, "r2", *WORSE, *accepted])
    assert result.exit_code == 0, result.output


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--for", "soon"], "'soon' is no time from 30s to 24h"),
        (["--for", "3s"], "'3s' is no time"),
        (["--max-cost-rise", "x"], "'x' is no share"),
        (["--max-error-rise", "-5%"], "'-5%' is no share"),
    ],
)
def test_words_that_are_not_understood(server, words, sentence):
    result = CliRunner().invoke(canary, [*server, "r2", *WORSE, *words])
    assert (result.exit_code, sentence in result.output) == (2, True), result.output


def test_without_a_collector_it_ends_with_2(tmp_path):
    (tmp_path / "read.token").write_text("x")
    where = ["--url", "http://127.0.0.1:1", "--token-file", str(tmp_path / "read.token")]
    result = CliRunner().invoke(canary, [*where, "--release", "r2", "--control", "r1"])
    assert result.exit_code == 2
    assert "nothing answers at http://127.0.0.1:1" in result.output


class Clock:
    def __init__(self):
        self.now_s = 0.0

    def __call__(self):
        return self.now_s

    def sleep(self, seconds):
        self.now_s += seconds


def answers(*verdicts):
    """One answer after the other; an exception is raised; the last one is repeated."""
    left = list(verdicts)

    def ask():
        verdict = left.pop(0) if len(left) > 1 else left[0]
        if verdict == "away":
            raise AskError("nothing answers")
        return {"data": {"verdict": verdict, "headline": f"{verdict} now"}}

    return ask


def wait(question, for_s=600.0):
    clock, said = Clock(), []
    answer = watched(question, for_s, said.append, clock, clock.sleep)
    return answer["data"]["verdict"], clock.now_s, said


def test_it_waits_for_the_verdict_and_says_once_what_it_waits_for():
    verdict, passed_s, said = wait(answers("waiting", "waiting", "regression"))
    assert (verdict, passed_s, said) == ("regression", 10.0, ["waiting now"])


def test_a_collector_that_is_away_for_a_while_is_asked_again():
    assert wait(answers("waiting", "away", "away", "pass"))[:2] == ("pass", 15.0)


def test_one_that_was_never_there_is_not_waited_for():
    with pytest.raises(AskError):
        wait(answers("away", "pass"))


def test_one_that_stays_away_ends_it():
    with pytest.raises(AskError):
        wait(answers("waiting", "away"))


def test_it_does_not_wait_for_ever_nor_longer_than_asked():
    assert wait(answers("waiting"))[:2] == ("waiting", 600.0 + PATIENCE_S)
    assert wait(answers("waiting"), for_s=0)[:2] == ("waiting", 0.0)
