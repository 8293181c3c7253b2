"""The rule files of a folder and the bundled ones, read again when they change."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from alerting.rule_files import parse_rules
from alerting.rules import Rule, RuleProblem, Rules

__all__ = ["BUNDLED_DIR", "RuleBook", "read_rules"]

BUNDLED_DIR = Path(__file__).parent / "bundled"
FILES_MAX = 500
FILE_BYTES_MAX = 1_000_000

Stamp = tuple[int, int]


@dataclass(slots=True)
class RuleBook:
    """The rules in force. A file that breaks keeps its last good version and becomes a problem.

    `folders`: later ones win, so a rule of the user's replaces the bundled rule of its name.
    `window_s`: replaces the window of every SLO.
    """

    folders: Sequence[Path]
    window_s: float | None = None
    _stamps: dict[Path, Stamp] = field(default_factory=dict)
    _good: dict[Path, Rules] = field(default_factory=dict)
    _problems: dict[Path, tuple[RuleProblem, ...]] = field(default_factory=dict)
    _rules: Rules = field(default_factory=Rules)

    def refresh(self) -> Rules:
        """The rules as the files say now; files are read only when their time or size changed."""
        files, missing = _list_files(self.folders)
        stamps = {file: _stamp(file) for file in files}
        if stamps != self._stamps or missing != self._problems.get(Path(), ()):
            self._read([file for file in files if stamps[file] != self._stamps.get(file)])
            for gone in set(self._stamps) - set(files):
                self._good.pop(gone, None)
                self._problems.pop(gone, None)
            self._problems[Path()] = missing
            self._stamps = stamps
            self._rules = self._join(files)
        return self._rules

    @property
    def current(self) -> Rules:
        """The rules as they were read last."""
        return self._rules

    def _read(self, files: Sequence[Path]) -> None:
        for file in files:
            rules, problems = read_rules(file)
            self._problems[file] = problems
            if not problems:
                self._good[file] = rules

    def _join(self, files: Sequence[Path]) -> Rules:
        problems = [problem for several in self._problems.values() for problem in several]
        found: dict[str, Rule] = {}
        home: dict[str, Path] = {}
        for file in files:
            for rule in self._good.get(file, Rules()).all:
                before = home.get(rule.name)
                if before is not None and before.parent == file.parent:
                    text = (
                        f"the rule {rule.name!r} is in {before.name} already; this one is not used"
                    )
                    problems.append(RuleProblem(str(file), 1, text))
                    continue
                home[rule.name] = file
                found.pop(rule.name, None)
                found[rule.name] = rule
        joined = Rules(tuple(found.values()), tuple(problems))
        return joined.with_window(self.window_s) if self.window_s else joined


def read_rules(file: Path) -> tuple[Rules, tuple[RuleProblem, ...]]:
    """One file's rules; what cannot be read is a problem, not an exception."""
    try:
        if file.stat().st_size > FILE_BYTES_MAX:
            return Rules(), (RuleProblem(str(file), 1, f"larger than {FILE_BYTES_MAX} bytes"),)
        return parse_rules(file.read_text("utf-8"), str(file))
    except (OSError, UnicodeDecodeError) as error:
        return Rules(), (RuleProblem(str(file), 1, f"cannot be read: {error}"),)


def _list_files(folders: Sequence[Path]) -> tuple[list[Path], tuple[RuleProblem, ...]]:
    """Rule files in order (their tests left out), and the folders that are not there."""
    files: list[Path] = []
    problems: list[RuleProblem] = []
    for folder in folders:
        if not folder.is_dir():
            problems.append(RuleProblem(str(folder), 1, "the rules folder is not there"))
        found = sorted(file for file in folder.glob("*.yaml") if not file.stem.endswith("_test"))
        if len(found) > FILES_MAX:
            text = f"{len(found)} rule files: only the first {FILES_MAX} are used"
            problems.append(RuleProblem(str(folder), 1, text))
        files += found[:FILES_MAX]
    return files, tuple(problems)


def _stamp(file: Path) -> Stamp:
    try:
        stat = file.stat()
    except OSError:
        return (0, 0)
    return (stat.st_mtime_ns, stat.st_size)
