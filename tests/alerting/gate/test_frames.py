"""Python functions as machine-code functions: what they do stays the same."""

import subprocess
import sys
from pathlib import Path

from alerting.gate.process import INSIDE
from alerting.gate.shim import compiled_shim

CODE = """
import sys
sys.path.insert(0, sys.argv[1])
from dynoscope_gate import frames
from dynoscope_gate.shim import Shim

def numbers(count):
    yield from range(count)

def total(count):
    return sum(numbers(count))

def factorial(n):
    return 1 if n < 2 else n * factorial(n - 1)

def failing():
    raise KeyError("as before")

class Rounds:
    def run(self):
        try:
            failing()
        except KeyError as error:
            return total(5), factorial(30), str(error), sorted([3, 1, 2], key=lambda n: -n)

rounds, shim = Rounds(), Shim(sys.argv[2])
before = rounds.run()
named = frames.discover(rounds, sys.argv[3], own_only=True)
print(sorted(name.rpartition(":")[2].rpartition(".")[2] for name in named))
print(frames.name_frames(shim, named, sorted(named)))
print(rounds.run() == before)
print(sorted(frames.discover(rounds, "/nowhere", own_only=True)))
"""


def test_the_same_answers_exceptions_generators_and_recursion(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(CODE)
    shim = compiled_shim(tmp_path)
    done = subprocess.run(
        [sys.executable, str(script), str(INSIDE), str(shim), str(tmp_path)],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    names, missed, same, elsewhere = done.stdout.splitlines()
    assert names == "['<lambda>', 'factorial', 'failing', 'numbers', 'run', 'total']"
    assert (missed, same, elsewhere) == ("0", "True", "[]")
