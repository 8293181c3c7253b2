"""From the text of a rule file to rules, or to problems with their lines.

A file is the short form (`rule_forms.py`), or OpenSLO v1 documents (`openslo.py`), or both, as
documents that `---` parts.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Any

import yaml
from pydantic import ValidationError

from alerting.openslo import API_VERSION, OpenSloProblem, openslo_rules
from alerting.rule_forms import KINDS, Document, rules_of
from alerting.rules import Rule, RuleProblem, Rules

__all__ = ["line_of", "parse_rules", "problems_of"]


def parse_rules(text: str, file: str) -> tuple[Rules, tuple[RuleProblem, ...]]:
    """The rules of one file; with any problem, no rules at all."""
    try:
        nodes = [node for node in yaml.compose_all(text, Loader=yaml.SafeLoader) if node]
        documents = list(zip(nodes, _loaded(text), strict=True))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else 1
        what = getattr(error, "problem", None) or str(error)
        return Rules(), (RuleProblem(file, line, f"not YAML: {what}"),)
    rules: list[Rule] = []
    problems: list[RuleProblem] = []
    foreign = [(node, data) for node, data in documents if _is_openslo(data)]
    for node, data in documents:
        if _is_openslo(data):
            continue
        try:
            rules += rules_of(Document.model_validate(data))
        except ValidationError as error:
            problems += problems_of(file, node, error)
    try:
        rules += openslo_rules([data for _, data in foreign])
    except OpenSloProblem as problem:
        line = line_of(foreign[problem.document][0], problem.path)
        problems.append(RuleProblem(file, line, str(problem)))
    if not problems and (twice := _named_twice([rule.name for rule in rules])):
        problems.append(
            RuleProblem(file, _line_of_name(text, twice), f"two rules are named {twice!r}")
        )
    return (Rules(), tuple(problems)) if problems else (Rules(tuple(rules)), ())


def problems_of(file: str, root: yaml.Node | None, error: ValidationError) -> list[RuleProblem]:
    """What pydantic found, with the lines."""
    found = []
    for one in error.errors():
        # The kind that chose the form stands in pydantic's path, but not in the file's.
        path = [part for part in one["loc"] if part not in KINDS]
        if one["type"].startswith("union_tag"):
            path.append("kind")
        where = ".".join(str(part) for part in path) or "the file"
        message = one["msg"].removeprefix("Value error, ")
        found.append(RuleProblem(file, line_of(root, path), f"{where}: {message}"))
    return found


def line_of(node: yaml.Node | None, path: Sequence[Any]) -> int:
    """The line of the value at `path`, or of the nearest thing around it that is there."""
    line = node.start_mark.line + 1 if node else 1
    for part in path:
        if isinstance(node, yaml.MappingNode):
            found = [(key, value) for key, value in node.value if key.value == str(part)]
            if not found:
                break
            line, node = found[0][0].start_mark.line + 1, found[0][1]
        elif (
            isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value)
        ):
            node = node.value[part]
            line = node.start_mark.line + 1
        else:
            break
    return line


def _loaded(text: str) -> list[Any]:
    return [data for data in yaml.safe_load_all(text) if data is not None]


def _is_openslo(data: Any) -> bool:
    return isinstance(data, dict) and str(data.get("apiVersion", "")).startswith(
        API_VERSION.partition("/")[0] + "/"
    )


def _named_twice(names: Sequence[str]) -> str:
    return next((name for i, name in enumerate(names) if name in names[:i]), "")


def _line_of_name(text: str, name: str) -> int:
    lines: Iterable[int] = (
        number
        for number, line in enumerate(text.splitlines(), start=1)
        if re.search(rf"\bname:\s*[\"']?{re.escape(name)}[\"']?\s*(#.*)?$", line)
    )
    return max(lines, default=1)
