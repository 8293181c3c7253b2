"""PostgreSQL: the service's database."""

import secrets
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

from demo_stack.folders import account_for, server_folder
from demo_stack.processes import DemoError, Launch, run

__all__ = ["PASSWORD_FILE", "database_exists", "postgres", "superuser"]

PASSWORD_FILE = "postgres.password"
USER = "photos"
#: Demo data may be lost with the machine, so nothing waits for the disk.
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "60",
    "shared_buffers": "64MB",
    "autovacuum_naptime": "600",
}


def postgres(home: Path, port: int) -> Launch:
    """A private PostgreSQL with its data in `home`/postgres."""
    binaries, account = _binaries(), account_for("postgres")
    folder = server_folder(home, "postgres", account)
    if not (folder / "PG_VERSION").exists():
        _make_cluster(home, folder, binaries, account)
    settings = [
        part for name, value in {**SETTINGS, "port": str(port)}.items()
        for part in ("-c", f"{name}={value}")
    ]  # fmt: skip
    return Launch(
        name="postgres",
        argv=[str(binaries / "postgres"), "-D", str(folder), *settings],
        missing=lambda: _missing(home, port),
        port=port,
        cwd=folder,
        account=account,
        stop_signal=signal.SIGINT,
    )


@contextmanager
def superuser(home: Path, port: int, database: str = USER) -> Iterator[psycopg.Connection[Any]]:
    """A connection that may change everything; each statement is a transaction of its own."""
    password = (home / PASSWORD_FILE).read_text().strip()
    with psycopg.connect(
        host="127.0.0.1",
        port=port,
        user=USER,
        password=password,
        dbname=database,
        autocommit=True,
        connect_timeout=3,
    ) as connection:
        yield connection


def database_exists(home: Path, port: int) -> None:
    """Make the service's database where it is not there yet."""
    question = "SELECT 1 FROM pg_database WHERE datname = 'photos'"
    with superuser(home, port, "postgres") as connection:
        if connection.execute(question).fetchone() is None:
            connection.execute("CREATE DATABASE photos")


def _make_cluster(home: Path, folder: Path, binaries: Path, account: str | None) -> None:
    password = secrets.token_urlsafe(24)
    secret = home / PASSWORD_FILE
    secret.touch(mode=0o600)
    secret.write_text(password + "\n")
    # The server's user cannot read our file, and needs its password only now.
    handed_over = folder.with_name("postgres.handed-over")
    handed_over.touch(mode=0o600)
    handed_over.write_text(password + "\n")
    if account is not None:
        shutil.chown(handed_over, account, account)
    try:
        run(
            [
                str(binaries / "initdb"),
                "-D", str(folder), "-U", USER, "-A", "scram-sha-256", "--pwfile", str(handed_over),
                "-E", "UTF8", "--locale=C.UTF-8", "--no-sync",
            ],
            what="making the PostgreSQL data folder (initdb)",
            account=account,
            cwd=folder,
        )  # fmt: skip
    finally:
        handed_over.unlink()


def _missing(home: Path, port: int) -> str | None:
    try:
        with superuser(home, port, "postgres"):
            return None
    except psycopg.OperationalError as error:
        return f"no connection on port {port} ({str(error).splitlines()[0]})"


def _binaries() -> Path:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    if found:
        return found[-1].parent
    on_path = shutil.which("postgres")
    if on_path is None:
        raise DemoError("PostgreSQL is not installed: run `make setup` (postgresql-15)")
    return Path(on_path).resolve().parent
