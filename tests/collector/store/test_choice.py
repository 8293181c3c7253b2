"""The first server that answers is taken, and stays so until it does not."""

import pytest

from collector.store.address import parse_address
from collector.store.choice import Choice
from collector.store.dialect import Dialect
from collector.store.engine import QueryLimits
from collector.store.errors import StoreAway, StoreError
from collector.store.server import Server
from collector.store.texts import query_text
from tests.collector.clickhouse import free_port

PING = query_text("ping")
PLAIN = Dialect(has_tokens=False, session={}, insert={})


@pytest.fixture
def servers(clickhouse):
    """Two at one place, then two where nobody is."""
    address = parse_address(clickhouse.url("default"))
    ports = (clickhouse.port, clickhouse.port, free_port(), free_port())
    made = [Server(address.at("127.0.0.1", p, "default"), QueryLimits(), "", PLAIN) for p in ports]
    yield made
    for server in made:
        server.close()


def test_the_first_that_answers_is_taken(servers):
    one, other, nobody, no_one = servers
    assert Choice([one, other], "it", PING).first() is one
    choice = Choice([nobody, one, other], "it", PING)
    assert choice.first() is one
    assert choice.in_order() == [one, other, nobody]
    assert choice.select(PING, {})["one"].to_pylist() == [1]
    with pytest.raises(StoreAway, match=f"No server of it answers .*{nobody}, {no_one}.*start one"):
        Choice([nobody, no_one], "it", PING).first()
    with pytest.raises(StoreAway, match="No server of it"):
        Choice([nobody, no_one], "it", PING).select(PING, {})


def test_who_says_that_it_is_shut_is_passed_over(servers):
    with pytest.raises(StoreAway, match="No server of it"):
        Choice(servers[:2], "it", "SELECT 1 AS is_shut").first()
    assert Choice(servers[:2], "it", "SELECT 0 AS is_shut").first() is servers[0]


def test_an_error_is_no_absence(servers):
    with pytest.raises(StoreError, match="nowhere") as told:
        Choice(servers[:2], "it", PING).select("SELECT 1 FROM nowhere", {})
    assert not isinstance(told.value, StoreAway)
