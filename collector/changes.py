"""POST /v1/changes: a deploy, a flag or a configuration change, stored once."""

import hashlib
import re
from collections.abc import Callable
from typing import Annotated, Literal

import numpy as np
import pyarrow as pa
from flask import Blueprint, jsonify, request
from flask.typing import ResponseReturnValue
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from collector.access import refusal
from collector.batches import FUTURE_MS, PAST_MS
from collector.store.errors import StoreError
from collector.store.store import Store
from collector.tokens import Tokens
from profiler.vocabulary import MINUTE_MS
from profiler.wire import SCHEMAS

__all__ = ["change_routes", "sentence_of"]

BODY_BYTES_MAX = 4_000_000

Word = Annotated[str, Field(max_length=1_000)]


class NewChange(BaseModel):
    """What is posted. `id`: the sender's own key; without it, content and minute are the key."""

    model_config = ConfigDict(extra="forbid", strict=True)

    kind: Literal["deploy", "flag", "config"]
    service: Annotated[str, Field(min_length=1, max_length=1_000)]
    release: Word = ""
    previous: Word = ""
    commits: Annotated[list[Word], Field(max_length=1_000)] = []
    changed_functions: Annotated[list[Word], Field(max_length=10_000)] = []
    note: Annotated[str, Field(max_length=16_000)] = ""
    ts_ms: Annotated[int, Field(ge=0, lt=2**62)] | None = None
    id: Annotated[str, Field(pattern=re.compile(r"^[0-9A-Za-z_.-]{1,100}$"))] | None = None


def change_routes(store: Store, tokens: Tokens, clock: Callable[[], float]) -> Blueprint:
    """Needs the ingest or the admin token; answers 201 with the id."""
    routes = Blueprint("changes", __name__)

    @routes.post("/v1/changes")
    def post_change() -> ResponseReturnValue:
        if refused := refusal(request, (tokens.ingest, tokens.admin), (tokens.read,)):
            return refused
        if (request.content_length or 0) > BODY_BYTES_MAX:
            return jsonify(error=f"The body is larger than {BODY_BYTES_MAX:,} bytes."), 413
        try:
            change = NewChange.model_validate_json(request.get_data())
        except ValidationError as error:
            return jsonify(error=sentence_of(error)), 400
        now_ms = int(clock() * 1000)
        ts_ms = now_ms if change.ts_ms is None else change.ts_ms
        if not now_ms - PAST_MS <= ts_ms <= now_ms + FUTURE_MS:
            return jsonify(error="ts_ms is not within 400 days before and a day after now."), 400
        identity = change.id or _identity(change, now_ms)
        try:
            store.insert("changes", _row(change, ts_ms), f"change-{identity}")
        except StoreError as error:
            return jsonify(error=str(error)), 503, {"Retry-After": "2"}
        return jsonify(id=identity), 201

    return routes


def _identity(change: NewChange, now_ms: int) -> str:
    minute = now_ms // MINUTE_MS if change.ts_ms is None else ""
    return hashlib.sha256(f"{minute}{change.model_dump_json()}".encode()).hexdigest()[:32]


def _row(change: NewChange, ts_ms: int) -> pa.Table:
    columns = {
        "ts_ms": np.array([ts_ms], np.uint64),
        "service": [change.service],
        "host": [""],
        "region": [""],
        "kind": [change.kind],
        "release": [change.release],
        "previous": [change.previous],
        "commits": [change.commits],
        "changed_functions": [change.changed_functions],
        "note": [change.note],
    }
    return pa.table(columns, schema=SCHEMAS["changes"])


def sentence_of(error: ValidationError) -> str:
    """What is wrong with a body, and where."""
    first = error.errors(include_url=False, include_input=False)[0]
    where = ".".join(str(part) for part in first["loc"]) or "the body"
    return f"{where}: {first['msg']}."
