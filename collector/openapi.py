"""GET /openapi.json: what can be asked and sent (OpenAPI 3.1), out of the code that answers it."""

from collections.abc import Mapping
from dataclasses import asdict
from functools import partial
from importlib.metadata import version
from inspect import getdoc
from typing import Any, get_args, get_type_hints

from collector.answers.alerts import STATES
from collector.answers.flamegraph import SHARE_MIN
from collector.answers.records import Answer
from collector.answers.traces import trace
from collector.changes import NewChange
from collector.json_schema import Schema, Schemas
from collector.questions import TEXT_CHARACTERS_MAX, Question
from collector.routes import BATCH, CHANGE, OTHERS, OTLP, WISH, WISHES, answers
from collector.wishes import NewWish, Wish
from profiler.canary_records import CanaryLimits
from profiler.processors import FOLDS

__all__ = ["document"]

TEXT = {"type": "string", "maxLength": TEXT_CHARACTERS_MAX}
TIME = "now, -15m, -1h, -7d, or a time such as 2026-01-31T12:00:00Z"
SIDE = (
    "release:r1, or key:value with release, window, host, region, flag, runtime, joined by commas"
)
RISES = (
    "a share of the control's",
    "of the share of requests that are slower than the control's P95",
    "of the share of requests that fail",
    "of the share of requests with one status of 300 to 499",
    "a share of the control's",
)
#: Every word of a query string: its schema and what it means.
WORDS: Mapping[str, tuple[Schema, str]] = {
    "from": ({**TEXT, "default": "-1h"}, f"Start of the window: {TIME}."),
    "to": ({**TEXT, "default": "now"}, f"End of the window: {TIME}."),
    "service": (TEXT, "Service; the only one where it is left out. Needed where there are more."),
    "endpoint": (TEXT, "Such as `GET /api/v1/feed/`; all where it is left out."),
    "release": (TEXT, "Release; all where it is left out, where that may be."),
    "control": (TEXT, "The release that is compared with, at the same minutes."),
    "for_s": (
        {"type": "number", "minimum": 30, "maximum": 86400, "default": 600},
        "How long the release is watched from its first request on, s.",
    ),
    **{
        f"max_{name}_rise": (
            {"type": "number", "minimum": 0, "exclusiveMaximum": 10, "default": limit},
            f"The rise of {name} that is accepted: {says}.",
        )
        for (name, limit), says in zip(asdict(CanaryLimits()).items(), RISES, strict=True)
    },
    "state": ({"enum": list(STATES)}, "Only alerts in this state."),
    "a": (TEXT, f"The side that is compared with: {SIDE}."),
    "b": (TEXT, f"The side that is compared: {SIDE}."),
    "function": (TEXT, "`module:qualname`; of a flame graph, with `view`: only stacks through it."),
    "metric": (TEXT, "A metric's name, such as `host_cpu_percent`; /v1/metrics lists them."),
    "was": (TEXT, "The function's name on side a, where it was renamed."),
    "view": (
        {"enum": ["callers", "callees"]},
        "The call tree upside down from `function`, or from it down.",
    ),
    "fold": (TEXT, f"Simplify stacks: {', '.join(FOLDS)}; joined by commas."),
    "share_min": (
        {"type": "number", "minimum": 0, "exclusiveMaximum": 1, "default": SHARE_MIN},
        "Calls with a smaller share on both sides are left out.",
    ),
    "limit_ms": (
        {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1e6, "default": 500},
        "The SLO's limit of wall time, ms.",
    ),
    "share": (
        {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1, "default": 0.99},
        "The share of requests that are to stay within it.",
    ),
}
AS_OF: Schema = {"type": ["string", "null"], "format": "date-time"}


def document(questions: Mapping[str, Question], *, otlp: bool = False) -> dict[str, Any]:
    """The whole document. `otlp`: traces are taken, too."""
    schemas = Schemas()
    paths: dict[str, dict[str, Any]] = {
        f"/v1/{name}": {"get": _question(name, question, schemas)}
        for name, question in questions.items()
    }
    paths["/v1/traces/{trace_id}"] = {"get": _trace(schemas)}
    paths["/v1/batches/{batch_id}"] = {"put": BATCH}
    paths["/v1/changes"]["post"] = {**CHANGE, "requestBody": _body(NewChange)}
    paths["/v1/profiles"]["post"] = {**WISH, "requestBody": _body(NewWish)}
    wishes = {"wishes": {"type": "array", "items": schemas.of(Wish)}}
    paths["/v1/profiles/wishes"] = {"get": {**WISHES, "responses": answers(_object(wishes))}}
    paths.update({path: {"get": dict(operation)} for path, operation in OTHERS.items()})
    if otlp:
        paths["/v1/otlp/v1/traces"] = {
            method: {**OTLP, "operationId": f"{method}_traces"} for method in ("put", "post")
        }
    asked = dict(schemas.components["Wish"]["properties"], asked_ms={"type": "integer"})
    paths["/v1/profiles"]["post"]["responses"] = answers(_object(asked), 201, 400, 413, 429)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Dynoscope",
            "version": version("dynoscope"),
            "description": "Times are UTC milliseconds since 1970; numbers that cannot be told are"
            " null.",
        },
        "paths": paths,
        "components": {
            "schemas": {**schemas.components, "Error": _object({"error": {"type": "string"}})},
            "securitySchemes": {
                kind: {"type": "http", "scheme": "bearer", "description": f"{kind}.token"}
                for kind in ("read", "ingest", "admin")
            },
        },
    }


def _question(name: str, question: Question, schemas: Schemas) -> dict[str, Any]:
    words = {word for one in question.parameters.values() for word in one.words}
    needed = {word for one in question.parameters.values() for word in one.needed}
    ask = question.ask.func if isinstance(question.ask, partial) else question.ask
    return {
        "operationId": name,
        "summary": (getdoc(ask) or "").split("\n\n")[0],
        "security": [{"read": []}],
        "parameters": [_parameter(word, word in needed) for word in sorted(words)],
        "responses": answers(_envelope(ask, schemas), 200, 400, 503),
    }


def _trace(schemas: Schemas) -> dict[str, Any]:
    place = {"type": "string", "pattern": "^[0-9a-fA-F]{32}$"}
    return {
        "operationId": "trace",
        "summary": (getdoc(trace) or "").split("\n\n")[0],
        "security": [{"read": []}],
        "parameters": [{"name": "trace_id", "in": "path", "required": True, "schema": place}],
        "responses": answers(_envelope(trace, schemas), 200, 400, 503),
    }


def _parameter(word: str, needed: bool) -> dict[str, Any]:
    schema, says = WORDS[word]
    return {"name": word, "in": "query", "required": needed, "schema": schema, "description": says}


def _envelope(ask: Any, schemas: Schemas) -> Schema:
    """An answer with the data of this question, and `as_of`, which the API adds."""
    (data,) = get_args(get_type_hints(ask)["return"])
    whole = schemas.object_of(Answer, data=schemas.of(data))
    whole["properties"]["as_of"] = AS_OF
    whole["required"].append("as_of")
    return whole


def _body(model: type[NewChange] | type[NewWish]) -> dict[str, Any]:
    content = {"application/json": {"schema": model.model_json_schema()}}
    return {"required": True, "content": content}


def _object(properties: dict[str, Schema]) -> Schema:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }
