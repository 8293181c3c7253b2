"""The slow query is real, and mending it leaves nothing behind."""

import time

import httpx

from demo_stack.faults import cause_slow_query, mend_slow_query
from demo_stack.servers.postgres import superuser
from demo_stack.stack import Stack

SLOW_VIEWER = 6


def test_slow_query_and_mending(stack: Stack):
    port = stack.state.ports["postgres"]
    released = _definition(stack)
    fast = _feed(stack)
    cause_slow_query(stack.home, port)
    try:
        begun = time.monotonic()
        slow = _feed(stack)
        # The database sleeps longer than the objective of 500 ms: never less.
        assert time.monotonic() - begun > 0.5
        assert slow == fast
    finally:
        mend_slow_query(stack.home, port)
    assert _definition(stack) == released
    assert _feed(stack) == fast


def _feed(stack: Stack) -> list[int]:
    url = f"{stack.edge_url()}/api/v1/feed/"
    answer = httpx.get(url, headers={"X-User-Id": str(SLOW_VIEWER)}, timeout=20)
    return [item["id"] for item in answer.json()["items"]]


def _definition(stack: Stack) -> str:
    with superuser(stack.home, stack.state.ports["postgres"]) as connection:
        row = connection.execute(
            "SELECT pg_get_functiondef(oid) FROM pg_proc WHERE proname = 'feed_candidates'"
        ).fetchone()
    assert row is not None
    return str(row[0])
