"""Neutral edits of a Python file."""

import ast
import random
import re

__all__ = ["NEUTRAL", "neutral"]

NEUTRAL = (
    "comment", "docstring", "unused_function", "unused_import", "renamed_local",
    "reordered", "module_added", "longer_path",
)  # fmt: skip


def neutral(kind: str, sources: dict[str, str], rng: random.Random) -> dict[str, str]:
    """{path: text} of the files that this edit changes or adds; what they do stays as it is."""
    path = rng.choice(sorted(sources))
    text = sources[path]
    number = rng.randrange(10**6)
    if kind == "comment":
        return {path: _after_imports(text, f"# A remark, number {number}.\n" * rng.randrange(1, 9))}
    if kind == "docstring":
        return {path: _with_docstring(text, f"What it does, in words that say little ({number}).")}
    if kind == "unused_function":
        body = f"def unused_{number}(a, b):\n    return [a + b for _ in range(3)]\n\n\n"
        return {path: _after_imports(text, body)}
    if kind == "unused_import":
        module = rng.choice(["calendar", "colorsys", "bisect", "fractions", "statistics"])
        return {path: _after_imports(text, f"import {module}  # noqa\n")}
    if kind == "renamed_local":
        return {path: _renamed(text, f"_renamed_{number}")}
    if kind == "reordered":
        return {path: _reordered(text)}
    folder = path.rpartition("/")[0]
    deeper = "a_folder_with_a_long_name/" * 4 if kind == "longer_path" else ""
    return {f"{folder}/{deeper}extra_{number}.py".lstrip("/"): f'"""Not imported, {number}."""\n'}


def _after_imports(text: str, added: str) -> str:
    tree = ast.parse(text)
    first = next((node for node in tree.body if isinstance(node, ast.FunctionDef)), tree.body[-1])
    decorators = getattr(first, "decorator_list", [])
    line = min([first.lineno, *(each.lineno for each in decorators)])
    lines = text.splitlines(keepends=True)
    return "".join([*lines[: line - 1], added, *lines[line - 1 :]])


def _with_docstring(text: str, words: str) -> str:
    functions = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef)]
    bare = [node for node in functions if not ast.get_docstring(node)]
    if not bare:
        return text + f'\n"""{words}"""\n'
    first = bare[0].body[0]
    lines = text.splitlines(keepends=True)
    indent = " " * first.col_offset
    return "".join(
        [*lines[: first.lineno - 1], f'{indent}"""{words}"""\n', *lines[first.lineno - 1 :]]
    )


def _renamed(text: str, new: str) -> str:
    """One name that a function assigns gets another; text as it is where there is none."""
    for node in ast.walk(ast.parse(text)):
        if not isinstance(node, ast.FunctionDef):
            continue
        names = [
            target.id
            for each in node.body
            if isinstance(each, ast.Assign)
            for target in each.targets
            if isinstance(target, ast.Name)
        ]
        if not names:
            continue
        lines = text.splitlines(keepends=True)
        body = "".join(lines[node.lineno : node.end_lineno])
        changed = re.sub(rf"(?<![\w.\"']){names[0]}(?![\w\"'=])(?!=)", new, body)
        made = "".join([*lines[: node.lineno], changed, *lines[node.end_lineno :]])
        try:
            ast.parse(made)
        except SyntaxError:
            continue
        return made
    return text


def _reordered(text: str) -> str:
    """The last two undecorated functions change places."""
    functions = [
        node
        for node in ast.parse(text).body
        if isinstance(node, ast.FunctionDef) and not node.decorator_list
    ]
    if len(functions) < 2:
        return text + "\n# Nothing to reorder.\n"
    first, second = functions[-2:]
    lines = text.splitlines(keepends=True)
    parts = (
        lines[: first.lineno - 1],
        lines[first.lineno - 1 : first.end_lineno],
        lines[first.end_lineno : second.lineno - 1],
        lines[second.lineno - 1 : second.end_lineno],
        lines[second.end_lineno :],
    )
    return "".join(line for at in (0, 3, 2, 1, 4) for line in parts[at])
