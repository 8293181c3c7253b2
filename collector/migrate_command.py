"""`dynoscope migrate`: bring a store's schema up to date, or show what that will do."""

import sys
import time
from pathlib import Path

import click

from collector.client import default_data_dir
from collector.store.engine import Engine
from collector.store.errors import StoreError
from collector.store.migrations import Pending, migrate, pending
from collector.store.store import opened_engine
from collector.store.texts import schema_files

__all__ = ["migrate_store"]

EXIT_UNANSWERED = 2


@click.command("migrate", epilog="Example: dynoscope migrate --dry-run --data ./data")
@click.option("--data", type=click.Path(path_type=Path), help="Data folder [/var/lib/dynoscope].")
@click.option(
    "--clickhouse",
    help="A server instead: clickhouse://user:password@host:port/name[?cluster=NAME].",
)
@click.option("--dry-run", is_flag=True, help="Show what is to be done, and do nothing.")
def migrate_store(data: Path | None, clickhouse: str | None, dry_run: bool) -> None:
    """Bring the store's schema up to date. `serve` does so, too, when it starts."""
    where = clickhouse or data or default_data_dir()
    try:
        if dry_run and isinstance(where, Path) and not (where / "chdb").exists():
            click.echo(
                f"There is no store in {where}: serve makes one, {len(schema_files())} files."
            )
            return
        with opened_engine(where) as engine:
            _tell(pending(engine), dry_run)
            if not dry_run:
                _do(engine)
    except StoreError as error:
        click.echo(f"migrate: {error}", err=True)
        sys.exit(EXIT_UNANSWERED)


def _tell(files: list[Pending], dry_run: bool) -> None:
    if not files:
        click.echo(f"The schema is up to date: version {max(schema_files())}.")
    for file in files:
        click.echo(f"{'to apply' if dry_run else 'applying'} {file.name}:")
        for statement in file.statements:
            lines = [line for line in statement.splitlines() if line and not line.startswith("--")]
            click.echo(f"  {lines[0]}")
    if dry_run and files:
        click.echo("Nothing was changed.")


def _do(engine: Engine) -> None:
    applied = migrate(engine, time.time)
    if applied:
        click.echo(f"Applied {len(applied)} files: version {max(schema_files())}.")
