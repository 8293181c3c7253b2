"""POST /v1/profiles: a wish for deep profiles. GET /v1/profiles/wishes: what agents are to do.

Wishes live in this process for WISH_S and no longer: an agent that is away for a while still gets
one, and one that nobody needs any more does not have to be taken back.
"""

import random
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Annotated

from flask import Blueprint, jsonify, request
from flask.typing import ResponseReturnValue
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from collector.access import refusal
from collector.changes import sentence_of
from collector.tokens import Tokens

__all__ = ["Wishes", "wish_routes"]

BODY_BYTES_MAX = 20_000
WISH_S = 600
WISHES_MAX = 64
REQUESTS_MAX = 1_000

Name = Annotated[str, Field(min_length=1, max_length=4_096)]


class NewWish(BaseModel):
    """What is posted. `requests`: how many each host is to profile."""

    model_config = ConfigDict(extra="forbid", strict=True)

    service: Name
    endpoint: Name
    requests: Annotated[int, Field(ge=1, le=REQUESTS_MAX)] = 20


@dataclass(frozen=True, slots=True)
class Wish:
    """As the agents get it. `number` tells it from every other; `expires_s`: epoch."""

    number: int
    service: str
    endpoint: str
    requests: int
    expires_s: int


@dataclass(slots=True)
class Wishes:
    """What was asked for and has not expired, oldest first. Safe to use from many threads."""

    rng: random.Random = field(default_factory=random.SystemRandom)
    _open: list[Wish] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, wanted: NewWish, now_s: float) -> Wish | None:
        """The wish; None where WISHES_MAX are open. A service has one: a newer one replaces it."""
        number = self.rng.randrange(1, 1 << 32)
        wish = Wish(number, **wanted.model_dump(), expires_s=int(now_s) + WISH_S)
        with self._lock:
            kept = [one for one in self._unexpired(now_s) if one.service != wish.service]
            if len(kept) >= WISHES_MAX:
                return None
            self._open = [*kept, wish]
        return wish

    def open(self, now_s: float) -> list[Wish]:
        """What agents are to do."""
        with self._lock:
            self._open = self._unexpired(now_s)
            return list(self._open)

    def _unexpired(self, now_s: float) -> list[Wish]:
        return [wish for wish in self._open if wish.expires_s > now_s]


def wish_routes(wishes: Wishes, tokens: Tokens, clock: Callable[[], float]) -> Blueprint:
    """To ask needs the admin token (201 with the wish); to look needs the agents' token."""
    routes = Blueprint("wishes", __name__)

    @routes.post("/v1/profiles")
    def post_wish() -> ResponseReturnValue:
        if refused := refusal(request, (tokens.admin,), (tokens.read, tokens.ingest)):
            return refused
        if (request.content_length or 0) > BODY_BYTES_MAX:
            return jsonify(error=f"The body is larger than {BODY_BYTES_MAX:,} bytes."), 413
        try:
            wanted = NewWish.model_validate_json(request.get_data())
        except ValidationError as error:
            return jsonify(error=sentence_of(error)), 400
        now_s = clock()
        wish = wishes.add(wanted, now_s)
        if wish is None:
            sentence = f"{WISHES_MAX} services are being profiled: ask again in a few minutes."
            return jsonify(error=sentence), 429, {"Retry-After": "60"}
        return jsonify(**asdict(wish), asked_ms=int(now_s * 1000)), 201

    @routes.get("/v1/profiles/wishes")
    def get_wishes() -> ResponseReturnValue:
        if refused := refusal(request, (tokens.ingest,), (tokens.read, tokens.admin)):
            return refused
        return jsonify(wishes=[asdict(wish) for wish in wishes.open(clock())])

    return routes
