"""Routes that are no questions, as OpenAPI operations; and what answers look like."""

from collections.abc import Mapping
from typing import Any

from collector.batches import LIMITS
from profiler.vocabulary import SENT

__all__ = ["BATCH", "CHANGE", "OTHERS", "OTLP", "WISH", "WISHES", "answers"]

Operation = Mapping[str, Any]

REASONS = {
    400: "What is wrong with it.",
    401: "A token is needed.",
    403: "A token of another kind.",
    413: "It is too large.",
    415: "It is of a type that is not read.",
    429: "Too much is waiting: send it again after Retry-After seconds.",
    503: "The collector or its store is busy: send it again after Retry-After seconds.",
}
RETRY_AFTER = {"Retry-After": {"schema": {"type": "integer"}, "description": "Seconds."}}


def answers(
    schema: Mapping[str, Any] | None, good: int = 200, *errors: int, token: bool = True
) -> dict[str, Any]:
    """Responses: one of JSON of that schema (None: without a body), and the errors."""
    content = {"content": {"application/json": {"schema": schema}}} if schema else {}
    known = {str(good): {"description": "It is so.", **content}}
    return known | {
        str(code): {
            "description": REASONS[code],
            "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
            **({"headers": RETRY_AFTER} if code in (429, 503) else {}),
        }
        for code in sorted({*errors, *((401, 403) if token else ())})
    }


def _text(summary: str, security: list[dict[str, list[str]]], *errors: int) -> Operation:
    responses = answers(None, 200, *errors, token=bool(security))
    responses["200"]["content"] = {"text/plain": {"schema": {"type": "string"}}}
    return {"summary": summary, "security": security, "responses": responses}


def _status(word: str) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {"status": {"const": word}},
        "required": ["status"],
        "additionalProperties": False,
    }


BATCH: Operation = {
    "operationId": "put_batch",
    "summary": "Store a batch of rows once, however often it is sent.",
    "description": "The columns of the table in any order, "
    f"at most {LIMITS.rows:,} rows of one UTC day and {LIMITS.body_bytes:,} bytes.",
    "security": [{"ingest": []}],
    "parameters": [
        {
            "name": "batch_id",
            "in": "path",
            "required": True,
            "schema": {"type": "string", "pattern": "^[0-9A-Za-z_.-]{1,128}$"},
        },
        {"name": "table", "in": "query", "required": True, "schema": {"enum": list(SENT)}},
        {
            "name": "X-Dynoscope-Attempt",
            "in": "header",
            "schema": {"type": "integer", "minimum": 1, "default": 1},
            "description": "The how manieth sending of this batch it is.",
        },
    ],
    "requestBody": {
        "required": True,
        "content": {"application/vnd.apache.arrow.stream": {"schema": {}}},
    },
    "responses": answers(None, 204, 400, 413, 429, 503),
}
CHANGE: Operation = {
    "operationId": "post_change",
    "summary": "Record a deploy, a flag or a configuration change, once.",
    "security": [{"ingest": []}, {"admin": []}],
    "responses": answers(
        {
            "type": "object",
            "properties": {"id": {"type": "string"}},
            "required": ["id"],
            "additionalProperties": False,
        },
        201, 400, 413, 503,
    ),
}  # fmt: skip
WISH: Operation = {
    "operationId": "post_wish",
    "summary": "Ask for deep profiles of one endpoint.",
    "security": [{"admin": []}],
}
WISHES: Operation = {
    "operationId": "get_wishes",
    "summary": "The deep profiles that agents are to take.",
    "security": [{"ingest": []}],
}
_EXPORT: Operation = {"application/x-protobuf": {"schema": {}}}
OTLP: Operation = {
    "summary": "Store an export of OpenTelemetry traces (OTLP/HTTP, protobuf) once.",
    "security": [{"ingest": []}],
    "requestBody": {"required": True, "content": _EXPORT},
    "responses": {
        **answers(None, 200, 400, 413, 415, 429, 503),
        "200": {"description": "Stored; or in part, as the answer says.", "content": _EXPORT},
    },
}
#: GET, by path.
OTHERS: Mapping[str, Operation] = {
    "/healthz": {
        "summary": "Whether the process runs.",
        "security": [],
        "responses": answers(_status("ok"), token=False),
    },
    "/readyz": {
        "summary": "Whether the store answers.",
        "security": [],
        "responses": answers(_status("ready"), 200, 503, token=False),
    },
    "/openapi.json": {
        "summary": "This document.",
        "security": [],
        "responses": answers({"type": "object"}, token=False),
    },
    "/metrics": _text(
        "What the collector counts about itself, for Prometheus. From loopback without a token.",
        [{"read": []}, {}],
    ),
    "/metrics/federate": _text(
        "Requests, errors, cost and wall time of endpoints since midnight UTC, for Prometheus.",
        [{"read": []}],
        503,
    ),
}
