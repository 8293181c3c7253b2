"""The command line: one sub-command a process or a question. The packages do the work."""

import logging
import signal
import socket
import sys
import threading
import time
import tomllib
from collections.abc import Callable, Sequence
from contextlib import closing
from importlib import import_module
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import click

__all__ = ["main"]

CONFIG_FILE = Path("/etc/dynoscope/dynoscope.toml")
EXIT_UNANSWERED = 2
#: Most of them wait with a batch for the insert that it is a part of.
THREADS = 264
CONNECTIONS_MAX = 1_000

#: Sub-command -> module and name of its click command. Loaded when asked for: `agent` needs no
#: database, `compare` no dashboards.
COMMANDS = {
    "advise": ("collector.pool_command", "advise"),
    "agent": ("agent.command", "agent"),
    "alerts": ("alerting.command", "alerts"),
    "canary": ("collector.canary_command", "canary"),
    "capacity": ("collector.pool_command", "capacity"),
    "compare": ("collector.command", "compare"),
    "demo": ("demo_stack.command", "demo"),
    "doctor": ("agent.doctor.command", "doctor"),
    "gate": ("alerting.gate.command", "gate"),
    "export": ("collector.export_command", "export"),
    "flags": ("collector.flags_command", "flags"),
    "migrate": ("collector.migrate_command", "migrate_store"),
    "profile": ("collector.profile_command", "profile"),
    "rules": ("alerting.command", "rules"),
    "run": ("agent.around", "run"),
}


class Commands(click.Group):
    """Loads a sub-command's module when it is named; names each flag's environment variable."""

    def list_commands(self, context: click.Context) -> list[str]:
        return sorted([*COMMANDS, *super().list_commands(context)])

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        command = super().get_command(context, name)
        if command is None and name in COMMANDS:
            module, attribute = COMMANDS[name]
            command = getattr(import_module(module), attribute)
        if command is not None:
            _name_variables(command)
        return command


def _name_variables(command: click.Command) -> None:
    """--ring-dir may also be given as DYNOSCOPE_RING_DIR."""
    for option in command.params:
        if isinstance(option, click.Option) and option.envvar is None and not option.is_flag:
            flag = max(option.opts, key=len).lstrip("-")
            option.envvar = f"DYNOSCOPE_{flag.replace('-', '_').upper()}"
            option.show_envvar = True
    if isinstance(command, click.Group):
        for below in command.commands.values():
            _name_variables(below)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="dynoscope")
@click.option(
    "--config",
    type=click.Path(path_type=Path),
    default=CONFIG_FILE,
    show_default=True,
    help="Settings: tables [serve] [agent] with a flag's name, dashes as underscores.",
)
@click.pass_context
def main(context: click.Context, config: Path) -> None:
    """Which function, in which release, made which endpoint cost more CPU."""
    context.default_map = _settings(config)


def _settings(path: Path) -> dict[str, Any]:
    """The file's tables; [agent] speaks of `agent run`, and of what `doctor` asks about it."""
    if not path.exists():
        if path != CONFIG_FILE:
            raise click.BadParameter(f"{path} does not exist", param_hint="--config")
        return {}
    try:
        tables = tomllib.loads(path.read_text())
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise click.BadParameter(f"{path}: {error}", param_hint="--config") from error
    if "agent" in tables:
        tables.setdefault("doctor", tables["agent"])
        tables["agent"] = {"run": tables["agent"]}
    return tables


@main.command(epilog="Example: dynoscope serve --data ./data --webhook http://127.0.0.1:8710/")
@click.option("--bind", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8600, show_default=True, help="Port to listen on.")
@click.option("--data", type=click.Path(path_type=Path), help="Data folder [/var/lib/dynoscope].")
@click.option(
    "--clickhouse",
    metavar="URL",
    help="Store in a ClickHouse server: clickhouse://user:password@host:port/database, or in a "
    "cluster, with ?cluster=NAME after it. On the command line all users of the machine can read "
    "the password: use the variable.",
)
@click.option("--rules", type=click.Path(path_type=Path), help="Folder of rules (*.yaml).")
@click.option("--bundled-rules/--no-bundled-rules", default=True, help="Load the bundled rules.")
@click.option("--webhook", multiple=True, help="Address that alerts are sent to; repeatable.")
@click.option("--receivers", type=click.Path(path_type=Path), help="File of receivers of alerts.")
@click.option("--evaluate-every-s", default=15.0, show_default=True, help="Pause between looks, s.")
@click.option("--settle-s", default=10.0, show_default=True, help="How late data may come, s.")
@click.option(
    "--slo-window",
    callback=lambda context, option, text: _seconds(text),
    help="Window of all SLOs instead of their own, such as 1h; alert windows in proportion.",
)
@click.option(
    "--warmup-requests", default=200, show_default=True, help="A worker's first requests."
)
@click.option("--warmup-s", default=120, show_default=True, help="A worker's first seconds.")
@click.option(
    "--server-cost-per-year", default=0.0, help="What a server costs; comparisons then say money."
)
@click.option(
    "--source",
    multiple=True,
    metavar="PLACE",
    help="Where source is: [SERVICE=]FOLDER that holds a folder for each release, or "
    "[SERVICE=]git:REPOSITORY; repeatable.",
)
@click.option("--otlp", is_flag=True, help="Take OTLP/HTTP traces at /v1/otlp/v1/traces, too.")
@click.option(
    "--keep", multiple=True, help="How long a table is kept, TABLE=DAYS [requests=7]; repeatable."
)
def serve(data: Path | None, **options: Any) -> None:
    """Collector, dashboards and alert rules in one process."""
    from alerting.errors import AlertingError
    from collector.client import default_data_dir
    from collector.errors import CollectorError
    from collector.store.errors import StoreError

    folder = data or default_data_dir()
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(message)s")
    try:
        _serve(folder, **options)
    except (AlertingError, CollectorError, StoreError) as error:
        click.echo(f"serve: {error}", err=True)
        sys.exit(EXIT_UNANSWERED)


def _serve(
    data: Path,
    bind: str,
    port: int,
    clickhouse: str | None,
    rules: Path | None,
    bundled_rules: bool,
    webhook: tuple[str, ...],
    receivers: Path | None,
    evaluate_every_s: float,
    settle_s: float,
    slo_window: float | None,
    warmup_requests: int,
    warmup_s: int,
    server_cost_per_year: float,
    keep: tuple[str, ...],
    source: tuple[str, ...],
    otlp: bool,
) -> None:
    """Build the parts over one store, and serve until a signal ends them."""
    from alerting.build import build_evaluator
    from alerting.routes import OPERATIONS, alerting_routes
    from collector.access import needs_admin
    from collector.answers.sources.places import parse_places
    from collector.app import create_app
    from collector.function_upkeep import FunctionUpkeep
    from collector.retention import Upkeep, parse_keep
    from collector.store.store import open_store
    from collector.tokens import load_or_make_tokens
    from dashboards.app import create_dashboards

    url = f"http://{bind}:{port}"
    warmup: dict[str, Any] = {"warmup_requests": warmup_requests, "warmup_s": warmup_s}
    days, places = parse_keep(keep), parse_places(source)
    tokens = load_or_make_tokens(data, may_make=_is_loopback(bind))
    with closing(open_store(clickhouse or data)) as store:
        priced: dict[str, Any] = {
            **warmup,
            "server_cost_per_year": server_cost_per_year,
            "places": places,
        }
        app = create_app(store, tokens, keep=days, otlp=otlp, paths=OPERATIONS, **priced)
        app.register_blueprint(alerting_routes(store, needs_admin(tokens), time.time))
        create_dashboards(store, app, **priced)
        evaluator = build_evaluator(
            store,
            rules_dir=rules,
            bundled=bundled_rules,
            slo_window_s=slo_window,
            webhooks=webhook,
            receivers_file=receivers,
            instance=f"{socket.gethostname()}:{port}",
            interval_s=evaluate_every_s,
            settle_s=settle_s,
            base_url=url,
            **warmup,
        )
        server = _listen(app, bind, port)
        upkeep = (Upkeep(store, days, time.time).run, FunctionUpkeep(store, time.time).run)
        beside = (evaluator.run, *upkeep)
        _run(server, beside, f"dynoscope: {url}/?token={tokens.read}")


def _run(server: Any, beside: Sequence[Callable[[threading.Event], None]], greeting: str) -> None:
    """Serve until a signal ends it, with further loops in threads of their own."""
    stop = threading.Event()
    threads = [threading.Thread(target=run, args=(stop,), name=run.__qualname__) for run in beside]
    for thread in threads:
        thread.start()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    click.echo(greeting)
    try:
        server.run()
    finally:
        stop.set()
        for thread in threads:
            thread.join()
        server.close()


def _seconds(text: str | None) -> float | None:
    """3600.0 for 1h."""
    if not text:
        return None
    size = {"s": 1, "m": 60, "h": 3600, "d": 86_400}.get(text[-1])
    if size is None or not text[:-1].isdigit() or int(text[:-1]) == 0:
        raise click.BadParameter(f"{text!r} is no time; write such as 90s, 30m, 1h, 30d")
    return float(int(text[:-1]) * size)


def _is_loopback(address: str) -> bool:
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return address == "localhost"


def _listen(app: Any, bind: str, port: int) -> Any:
    import waitress

    from collector.threads import Threads

    try:
        return waitress.create_server(
            app,
            host=bind,
            port=port,
            _dispatcher=Threads(THREADS),
            ident="dynoscope",
            asyncore_use_poll=True,  # select() dies past descriptor 1023, and the store opens many
            connection_limit=CONNECTIONS_MAX,  # agents keep theirs open
            inbuf_overflow=65_536,  # what a body waits with in memory; the rest waits on disk
            max_request_body_size=64_000_000,  # well past what ingest answers with a sentence
        )
    except OSError as error:
        click.echo(f"serve: cannot listen on {bind}:{port} ({error.strerror}); --port", err=True)
        sys.exit(EXIT_UNANSWERED)


if __name__ == "__main__":
    main()
