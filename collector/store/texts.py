"""The texts of queries and schema files."""

import re
from functools import cache
from pathlib import Path

__all__ = ["QUERIES_DIR", "query_text", "schema_files", "statements", "view_select"]

QUERIES_DIR = Path(__file__).parent / "queries"
SCHEMA_DIR = Path(__file__).parent / "schema"
#: Statements of a file end with a semicolon at the end of a line.
STATEMENT_END = re.compile(r";\s*$", re.MULTILINE)
VIEW = re.compile(r"CREATE MATERIALIZED VIEW IF NOT EXISTS (\w+) [^\n]* AS\n(.*)", re.DOTALL)
SOURCE = re.compile(r"FROM \{tables\}\S+\n")


@cache
def query_text(name: str) -> str:
    """The text of `queries/<name>.sql`."""
    return (QUERIES_DIR / f"{name}.sql").read_text("utf-8")


def schema_files() -> dict[int, Path]:
    """Version -> file, for every numbered file."""
    return {int(path.name.split("_")[0]): path for path in sorted(SCHEMA_DIR.glob("*.sql"))}


def statements(path: Path) -> list[str]:
    """The statements of a schema file, with their placeholders."""
    return [part for part in STATEMENT_END.split(path.read_text("utf-8")) if part.strip()]


@cache
def view_select(view: str, where: str) -> str:
    """What the newest definition of a view selects, from those rows of its table only that `where`
    names; with its placeholders."""
    found = [
        match[2]
        for _, path in sorted(schema_files().items())
        for statement in statements(path)
        if (match := VIEW.search(statement)) and match[1] == view
    ]
    (source,) = SOURCE.findall(found[-1])
    before, after = found[-1].split(source)
    return f"{before}{source}{where}{after}"
