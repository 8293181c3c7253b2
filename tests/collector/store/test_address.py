"""Addresses of servers."""

import pytest

from collector.store.address import ServerAddress, parse_address
from collector.store.errors import StoreError


def test_an_address_has_its_parts():
    found = parse_address("clickhouse://me:p%40ss@db.example:9100/cost")
    assert found == ServerAddress("db.example", 9100, "me", "cost", "p@ss")
    assert "p@ss" not in f"{found} {found!r}"
    plain = parse_address("clickhouse://db.example")
    assert plain == ServerAddress("db.example", 9000, "default", "dynoscope", "")


@pytest.mark.parametrize(
    "url",
    ["", "http://db/x", "db:9000", "clickhouse://", "clickhouse://db:x/y", "clickhouse://db:99999",
     "clickhouse://db/a;b", "clickhouse://db/a/b", "clickhouse://db/x?secure=1", "clickhouse://db/1a"],
)  # fmt: skip
def test_another_address_is_told_in_one_sentence(url):
    with pytest.raises(StoreError, match="The address of the ClickHouse server|The database"):
        parse_address(url)
