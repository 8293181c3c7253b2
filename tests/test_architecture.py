"""The invariants of ARCHITECTURE.md, kept."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
OURS = {
    "agent", "alerting", "benchmarks", "collector", "dashboards", "demo_stack", "dynoscope",
    "dynoscope_probe", "profiler", "tests",
}  # fmt: skip

#: Package -> what of ours it may import, beside itself.
ARROWS = {
    "probe/dynoscope_probe": (),
    "agent": ("dynoscope_probe.layout", "dynoscope_probe.auto", "profiler"),
    "profiler": (),
    "collector": ("profiler",),
    "dashboards": ("collector.store", "collector.answers", "collector.errors", "profiler"),
    "alerting": ("collector.store", "collector.answers", "collector.client", "profiler"),
    "demo_stack": (),
    "demo_stack/service": ("dynoscope_probe",),
}


def imports(folder: Path) -> Iterator[tuple[Path, str]]:
    for path in sorted(folder.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                yield from ((path, alias.name) for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                yield from ((path, f"{node.module}.{alias.name}") for alias in node.names)


def allowed(module: str, arrows: tuple[str, ...]) -> bool:
    return any(module == arrow or module.startswith(arrow + ".") for arrow in arrows)


@pytest.mark.parametrize("package", ARROWS)
def test_arrows(package: str) -> None:
    own = package.rsplit("/", 1)[-1]
    wrong = [
        f"{path.relative_to(ROOT)} imports {module}"
        for path, module in imports(ROOT / package)
        if module.split(".")[0] in OURS
        and not allowed(module, (*ARROWS[package], own))
        and not (package == "demo_stack" and path.is_relative_to(ROOT / "demo_stack/service"))
    ]
    assert wrong == []


def test_nothing_reads_how_the_benchmarks_plant_their_changes() -> None:
    readers = [
        f"{path.relative_to(ROOT)} imports {module}"
        for package in ("profiler", "alerting", "collector", "dashboards", "agent")
        for path, module in imports(ROOT / package)
        if module.split(".")[0] == "benchmarks"
    ]
    assert readers == []


def test_only_the_engines_hold_a_database_client() -> None:
    holders = {
        str(path.relative_to(ROOT))
        for package in ("agent", "alerting", "collector", "dashboards", "profiler")
        for path, module in imports(ROOT / package)
        if module.split(".")[0] in {"chdb", "clickhouse_driver"}
    }
    assert holders == {"collector/store/embedded.py", "collector/store/server.py"}


def test_the_profiler_is_pure() -> None:
    impure = {"os", "io", "pathlib", "socket", "subprocess", "time", "datetime", "random", "httpx"}
    wrong = [
        f"{path.relative_to(ROOT)} imports {module}"
        for path, module in imports(ROOT / "profiler")
        if module.split(".")[0] in impure
    ]
    assert wrong == []


def test_files_stay_small() -> None:
    folders = [ROOT / package for package in (*ARROWS, "tests", "benchmarks")]
    sizes = {
        str(path.relative_to(ROOT)): len(path.read_text().splitlines())
        for folder in folders
        for path in folder.rglob("*.py")
    }
    assert {path: lines for path, lines in sizes.items() if lines > 400} == {}
