"""`gate.toml`: what is measured and what it may cost."""

import tomllib
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from alerting.gate.errors import GateError
from profiler.gate.records import Budget

__all__ = ["Endpoint", "GateConfig", "Request", "read_config"]

DEFAULT_BUDGET = 0.01
DEFAULT_CLOCK = "2026-01-01T12:00:00Z"


@dataclass(frozen=True, slots=True)
class Request:
    """One request of an endpoint, and the status that it must get."""

    path: str
    method: str = "GET"
    headers: dict[str, str] = field(default_factory=dict)
    body: str = ""
    status: int = 200


@dataclass(frozen=True, slots=True)
class Endpoint:
    """`name` is spelled as production spells it: `GET /api/v1/feed/`."""

    name: str
    requests: tuple[Request, ...]
    budget: Budget


@dataclass(frozen=True, slots=True)
class GateConfig:
    """All of gate.toml."""

    application: str
    endpoints: tuple[Endpoint, ...]
    python: str = ""
    path: tuple[str, ...] = (".",)
    install: str = ""
    services: str = ""
    prepare: str = ""
    env: dict[str, str] = field(default_factory=dict)
    keep_env: tuple[str, ...] = ()
    clock_us: int = 0
    seed: int = 2016
    warm_up: int = 20
    rounds: int = 3
    layouts: int = 4
    layouts_max: int = 16
    timeout_s: int = 600


def read_config(path: Path) -> GateConfig:
    """Parse and check; raises GateError with the table and key at fault."""
    try:
        tables = tomllib.loads(path.read_text())
    except OSError as error:
        raise GateError(
            f"{path} cannot be read ({error.strerror}): "
            "write one; `dynoscope gate record` proposes its requests"
        ) from error
    except tomllib.TOMLDecodeError as error:
        raise GateError(f"{path} is not TOML: {error}") from error
    _known(tables, {"app", "measure", "budget", "endpoint"}, str(path))
    app = _table(tables, "app")
    _known(
        app,
        {"application", "python", "path", "install", "services", "prepare", "env", "keep_env"},
        "[app]",
    )
    measure = _table(tables, "measure")
    _known(
        measure,
        {"clock", "seed", "warm_up", "rounds", "layouts", "layouts_max", "timeout_s"},
        "[measure]",
    )
    default = _budget(_table(tables, "budget"), Budget(DEFAULT_BUDGET, None), "[budget]")
    endpoints = tuple(_endpoint(table, default) for table in tables.get("endpoint", []))
    if not endpoints:
        raise GateError(f"{path} has no [[endpoint]]: with nothing to measure nothing can pass")
    names = [endpoint.name for endpoint in endpoints]
    for name in names:
        if names.count(name) > 1:
            raise GateError(f"{path} has the endpoint {name!r} twice: put its requests in one")
    numbers = {key: _number(measure, key) for key in measure if key != "clock"}
    return GateConfig(
        application=_text(app, "application", "[app]"),
        endpoints=endpoints,
        python=_text(app, "python", "[app]", ""),
        path=tuple(_texts(app, "path", ["."])),
        install=_text(app, "install", "[app]", ""),
        services=_text(app, "services", "[app]", ""),
        prepare=_text(app, "prepare", "[app]", ""),
        env={str(k): str(v) for k, v in _table(app, "env").items()},
        keep_env=tuple(_texts(app, "keep_env", [])),
        clock_us=_clock(measure.get("clock", DEFAULT_CLOCK)),
        **numbers,
    )


def _endpoint(table: dict[str, Any], default: Budget) -> Endpoint:
    _known(table, {"name", "request", "requests", "relative", "absolute"}, "[[endpoint]]")
    name = _text(table, "name", "[[endpoint]]")
    given = table.get("request", table.get("requests", []))
    if not isinstance(given, list) or not all(isinstance(one, dict) for one in given) or not given:
        raise GateError(f"endpoint {name!r} has no [[endpoint.request]]: give it at least one path")
    return Endpoint(
        name,
        tuple(_request(one, name) for one in given),
        _budget(table, default, f"endpoint {name!r}"),
    )


def _request(table: dict[str, Any], name: str) -> Request:
    where = f"request of {name!r}"
    _known(table, {"path", "method", "headers", "body", "status"}, where)
    path = _text(table, "path", where)
    if not path.startswith("/"):
        raise GateError(f"{where}: path {path!r} does not begin with /")
    status = table.get("status", 200)
    if not isinstance(status, int) or not 100 <= status <= 599:
        raise GateError(f"{where}: status {status!r} is no HTTP status")
    method = _text(table, "method", where, name.split(" ")[0] if " " in name else "GET")
    headers = {str(k): str(v) for k, v in _table(table, "headers").items()}
    return Request(path, method, headers, _text(table, "body", where, ""), status)


def _budget(table: dict[str, Any], default: Budget, where: str) -> Budget:
    relative, absolute = table.get("relative"), table.get("absolute")
    for key, value in (("relative", relative), ("absolute", absolute)):
        if value is not None and key == "relative" and isinstance(value, str):
            continue
        if value is not None and (not isinstance(value, int | float) or value < 0):
            raise GateError(f'{where}: {key} = {value!r} is no budget; write such as "1%" or 50000')
    return Budget(
        default.relative if relative is None else _share(relative, where),
        default.absolute if absolute is None else float(absolute),
    )


def _share(value: str | float, where: str) -> float:
    """0.01 for "1%" or 0.01."""
    try:
        share = (
            float(value[:-1]) / 100
            if isinstance(value, str) and value[-1:] == "%"
            else float(value)
        )
    except ValueError:
        share = -1.0
    if not 0 <= share < 1:
        raise GateError(f'{where}: relative = {value!r} is no share; write "1%" or 0.01')
    return share


def _clock(value: object) -> int:
    try:
        at = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    except ValueError as error:
        raise GateError(
            f"[measure]: clock = {value!r} is no time; write {DEFAULT_CLOCK}"
        ) from error
    if at.tzinfo is None:
        raise GateError(f"[measure]: clock = {value!r} has no time zone; end it with Z")
    return int(at.timestamp() * 1_000_000)


def _number(table: dict[str, Any], key: str) -> int:
    value, least = table[key], {"seed": 0, "warm_up": 0, "layouts": 2}.get(key, 1)
    if not isinstance(value, int) or value < least:
        raise GateError(f"[measure]: {key} = {value!r}; it must be a whole number from {least}")
    return value


def _table(tables: dict[str, Any], key: str) -> dict[str, Any]:
    value = tables.get(key, {})
    if not isinstance(value, dict):
        raise GateError(f"{key} must be a table")
    return value


def _text(table: dict[str, Any], key: str, where: str, default: str | None = None) -> str:
    value = table.get(key, default)
    if not isinstance(value, str) or (default is None and not value):
        raise GateError(f"{where}: {key} must be a text")
    return value


def _texts(table: dict[str, Any], key: str, default: list[str]) -> list[str]:
    value = table.get(key, default)
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise GateError(f"[app]: {key} must be a list of texts")
    return value


def _known(table: dict[str, Any], known: set[str], where: str) -> None:
    for key in table:
        if key not in known:
            raise GateError(f"{where}: unknown key {key!r}; known are {', '.join(sorted(known))}")
