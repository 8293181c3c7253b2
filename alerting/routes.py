"""HTTP of alerting: acknowledge, silence, export, replay. `serve` mounts it beside the read API."""

import json
import uuid
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Annotated, Any

from flask import Blueprint, Response, jsonify, request
from flask.typing import ResponseReturnValue
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from alerting.history import past_of
from alerting.incident import read_incident
from alerting.journal import record_acknowledged, record_silence
from alerting.rule_files import parse_rules
from alerting.silences import Silence, silences_at
from collector.store.alert_reads import alert_history
from collector.store.errors import StoreError
from collector.store.store import Store

__all__ = ["OPERATIONS", "alerting_routes"]

RULES_BYTES_MAX = 1_000_000
#: How long a silence may last: for longer, change the rule.
SILENCE_S_MAX = 30 * 86_400
#: None where the request carries the admin token, else the answer that refuses it.
Refuse = Callable[[], ResponseReturnValue | None]

Word = Annotated[str, Field(min_length=1, max_length=1_000)]


class _Given(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class NewAcknowledgement(_Given):
    """Somebody looks after an alert."""

    by: Word
    reason: Word


class NewSilence(_Given):
    """Alerts whose labels match (whole regular expressions) are not sent for `for_s`."""

    matchers: Annotated[dict[Word, Word], Field(min_length=1, max_length=20)]
    for_s: Annotated[float, Field(gt=0, le=SILENCE_S_MAX)]
    by: Word
    reason: Word


class NewReplay(_Given):
    """A rule file's text, and how far back to look."""

    rules: Annotated[str, Field(max_length=RULES_BYTES_MAX)]
    last_s: Annotated[float, Field(gt=0, le=400 * 86_400)] = 30 * 86_400.0


def _operation(
    name: str, summary: str, body: type[BaseModel] | None, good: int, *bad: int
) -> dict[str, Any]:
    """One OpenAPI operation; what has a body but a replay needs the admin token."""
    schema = {"application/json": {"schema": {"type": "object"}}}
    errors = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
    made: dict[str, Any] = {
        "operationId": name,
        "summary": summary,
        "security": [{"read": []} if body in (None, NewReplay) else {"admin": []}],
        "responses": {
            str(good): {"description": "It is so.", "content": schema},
            **{
                str(code): {"description": "Why not.", "content": errors}
                for code in (*bad, 401, 403, 503)
            },
        },
    }
    if body is not None:
        content = {"application/json": {"schema": body.model_json_schema()}}
        made["requestBody"] = {"required": True, "content": content}
    return made


def _below(name: str, **operations: dict[str, Any]) -> dict[str, Any]:
    """Of a path with one id in it."""
    place = {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
    return {"parameters": [place], **operations}


_EXPORT = _operation("export_alert", "An incident as Markdown.", None, 200, 404)
_EXPORT["responses"]["200"]["content"] = {"text/markdown": {"schema": {"type": "string"}}}
#: What /openapi.json says of these routes.
OPERATIONS: Mapping[str, Mapping[str, Any]] = {
    "/v1/alerts/{alert_id}/ack": _below(
        "alert_id",
        post=_operation(
            "acknowledge_alert", "Say who looks after an alert.", NewAcknowledgement, 201, 400, 404
        ),
    ),
    "/v1/alerts/{alert_id}/export": _below("alert_id", get=_EXPORT),
    "/v1/silences": {
        "get": _operation("silences", "Silences that hold.", None, 200),
        "post": _operation("silence_alerts", "Send no alert that matches.", NewSilence, 201, 400),
    },
    "/v1/silences/{silence_id}/end": _below(
        "silence_id",
        post=_operation(
            "end_silence", "End a silence before its time.", NewAcknowledgement, 201, 400, 404
        ),
    ),
    "/v1/rules/replay": {
        "post": _operation("replay_rules", "When rules would have alerted.", NewReplay, 200, 400)
    },
}


def alerting_routes(store: Store, refuse: Refuse, clock: Callable[[], float]) -> Blueprint:
    """`refuse`: what changes anything needs the admin token; the read token is the app's guard."""
    routes = Blueprint("alerting", __name__)

    def now_ms() -> int:
        return int(clock() * 1000)

    @routes.errorhandler(ValidationError)
    def wrong(error: ValidationError) -> ResponseReturnValue:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "the body"
        return jsonify(error=f"{where}: {first['msg']}."), 400

    @routes.errorhandler(StoreError)
    def busy(error: StoreError) -> ResponseReturnValue:
        return jsonify(error=str(error)), 503, {"Retry-After": "2"}

    @routes.post("/v1/alerts/<alert_id>/ack")
    def acknowledge(alert_id: str) -> ResponseReturnValue:
        if refused := refuse():
            return refused
        given = NewAcknowledgement.model_validate_json(request.get_data())
        payload = _firing(store, alert_id)
        if payload is None:
            return jsonify(error=f"No alert {alert_id!r} fires."), 404
        record_acknowledged(store, payload, given.by, given.reason, now_ms())
        return jsonify(id=alert_id), 201

    @routes.get("/v1/alerts/<alert_id>/export")
    def export(alert_id: str) -> ResponseReturnValue:
        incident = read_incident(store, alert_id, now_ms())
        if incident is None:
            return jsonify(error=f"No alert {alert_id!r} is known."), 404
        name = f"incident-{incident.id[:12]}.md"
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return Response(incident.markdown, mimetype="text/markdown", headers=headers)

    _silence_routes(routes, store, refuse, now_ms)

    @routes.post("/v1/rules/replay")
    def replay() -> ResponseReturnValue:
        given = NewReplay.model_validate_json(request.get_data())
        rules, problems = parse_rules(given.rules, "rules")
        if problems:
            return jsonify(error="; ".join(str(problem) for problem in problems)), 400
        return jsonify(data=asdict(past_of(store, rules, given.last_s, now_ms())))

    return routes


def _silence_routes(
    routes: Blueprint, store: Store, refuse: Refuse, now_ms: Callable[[], int]
) -> None:
    @routes.get("/v1/silences")
    def silences() -> ResponseReturnValue:
        found = [asdict(one) for one in silences_at(store) if one.ends_ms > now_ms()]
        return jsonify(data=found)

    @routes.post("/v1/silences")
    def silence() -> ResponseReturnValue:
        if refused := refuse():
            return refused
        given = NewSilence.model_validate_json(request.get_data())
        starts_ms, identity = now_ms(), uuid.uuid4().hex
        ends_ms = starts_ms + round(given.for_s * 1000)
        made = Silence(identity, given.matchers, starts_ms, ends_ms, given.by, given.reason)
        record_silence(store, made, "active", starts_ms)
        return jsonify(asdict(made)), 201

    @routes.post("/v1/silences/<silence_id>/end")
    def end(silence_id: str) -> ResponseReturnValue:
        if refused := refuse():
            return refused
        given = NewAcknowledgement.model_validate_json(request.get_data())
        known = next((one for one in silences_at(store) if one.id == silence_id), None)
        if known is None or known.ends_ms <= now_ms():
            return jsonify(error=f"No silence {silence_id!r} holds."), 404
        ended = Silence(known.id, known.matchers, known.starts_ms, now_ms(), given.by, given.reason)
        record_silence(store, ended, "ended", now_ms())
        return jsonify(asdict(ended)), 201


def _firing(store: Store, alert_id: str) -> dict[str, Any] | None:
    """The alert's newest payload, if it fires."""
    for event in alert_history(store, alert_id):
        if event.state in ("firing", "resolved"):
            payload: dict[str, Any] = json.loads(event.json)
            return payload if event.state == "firing" else None
    return None
