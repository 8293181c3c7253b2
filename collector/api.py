"""The read API: GET /v1/<question>, /v1/traces/<trace id>. The app asks for the read token."""

import math
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, jsonify, request
from flask.typing import ResponseReturnValue

from collector.answers.records import Answer
from collector.answers.traces import trace
from collector.errors import BadQuestion
from collector.questions import Asked, Question
from collector.store.errors import StoreError
from collector.store.store import Store

__all__ = ["answer_json", "read_routes"]

RETRY_AFTER_S = 2


def read_routes(
    store: Store, known: Mapping[str, Question], clock: Callable[[], float]
) -> Blueprint:
    """One route a question of `known`."""
    routes = Blueprint("read", __name__)

    @routes.get("/v1/<name>")
    def get_answer(name: str) -> ResponseReturnValue:
        question = known.get(name)
        if question is None:
            return jsonify(error=f"/v1/{name} is unknown: ask {', '.join(known)}."), 404
        return _response(lambda: _ask(store, question, int(clock() * 1000)))

    @routes.get("/v1/traces/<trace_id>")
    def get_trace(trace_id: str) -> ResponseReturnValue:
        return _response(lambda: trace(store, trace_id))

    return routes


def _response(ask: Callable[[], Answer[Any]]) -> ResponseReturnValue:
    try:
        answer = ask()
    except BadQuestion as error:
        return jsonify(error=str(error)), 400
    except StoreError as error:
        return jsonify(error=str(error)), 503, {"Retry-After": str(RETRY_AFTER_S)}
    return jsonify(answer_json(answer)), 200, {"Cache-Control": "no-store"}


def answer_json(answer: Answer[Any]) -> dict[str, Any]:
    """The answer as JSON: NaN and infinities become null; as_of is also given in RFC 3339."""
    as_of = datetime.fromtimestamp(answer.as_of_ms / 1000, UTC).isoformat(timespec="milliseconds")
    return {**_plain(answer), "as_of": as_of if answer.as_of_ms else None}


def _ask(store: Store, question: Question, now_ms: int) -> Answer[Any]:
    words = {word for parameter in question.parameters.values() for word in parameter.words}
    for name in request.args:
        if name not in words:
            known = ", ".join(sorted(words)) or "none"
            raise BadQuestion(f"The parameter {name!r} is unknown here: there is {known}.")
        if len(request.args.getlist(name)) > 1:
            raise BadQuestion(f"The parameter {name!r} is given twice.")
    asked = Asked(store, request.args, now_ms)
    values = {name: parameter.read(asked) for name, parameter in question.parameters.items()}
    return question.ask(store, **values)


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
