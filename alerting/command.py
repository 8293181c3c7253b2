"""`dynoscope rules`: questions about rule files that need no server."""

from pathlib import Path

import click

from alerting.rulebook import read_rules

__all__ = ["rules"]


@click.group()
def rules() -> None:
    """Check rule files."""


@rules.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.pass_context
def check(context: click.Context, files: tuple[Path, ...]) -> None:
    """Say whether rule FILES are valid; exit status 1 if one is not."""
    broken = False
    for file in files:
        found, problems = read_rules(file)
        for problem in problems:
            click.echo(str(problem), err=True)
        if not problems:
            click.echo(f"{file}: {len(found.slos)} SLOs, {len(found.costs)} alert rules, all good")
        broken = broken or bool(problems)
    context.exit(1 if broken else 0)
