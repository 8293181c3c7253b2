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


def test_an_address_of_a_cluster_has_its_name_and_further_places():
    found = parse_address("clickhouse://me:p%40ss@a:9100,b,[::1]:9101/cost?cluster=four")
    others = (("b", 9000), ("::1", 9101))
    assert found == ServerAddress("a", 9100, "me", "cost", "p@ss", "four", others)
    assert found.at("b", 9000, "x") == ServerAddress("b", 9000, "me", "x", "p@ss")
    assert parse_address("clickhouse://a/cost?cluster=four").others == ()


def test_an_address_may_ask_for_tls():
    found = parse_address("clickhouses://me:x@a/cost?ca=/etc/ssl/our%20ca.pem")
    assert (found.port, found.secure, found.ca) == (9440, True, "/etc/ssl/our ca.pem")
    both = parse_address("clickhouses://a:9,b/cost?cluster=four&ca=ca.pem")
    assert (both.cluster, both.others, both.ca) == ("four", (("b", 9440),), "ca.pem")
    assert both.at("b", 9440, "x") == parse_address("clickhouses://b/x?ca=ca.pem")
    assert not parse_address("clickhouse://a").secure


@pytest.mark.parametrize(
    "url",
    ["", "http://db/x", "db:9000", "clickhouse://", "clickhouse://db:x/y", "clickhouse://db:99999",
     "clickhouse://db/a;b", "clickhouse://db/a/b", "clickhouse://db/x?secure=1", "clickhouse://db/1a",
     "clickhouse://a,b/x", "clickhouse://a,/x?cluster=c", "clickhouse://a/x?cluster=",
     "clickhouse://a/x?cluster=c&d=e", "clickhouse://a/x?cluster=c'", "clickhouse://a/x?ca=f",
     "clickhouses://a/x?ca=", "clickhouses://a/x?ca=f&ca=g", "clickhouses://a/x?ca"],
)  # fmt: skip
def test_another_address_is_told_in_one_sentence(url):
    with pytest.raises(StoreError, match="The address of the ClickHouse server|The database"):
        parse_address(url)
