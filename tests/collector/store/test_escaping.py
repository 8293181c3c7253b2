"""Values as SQL text, read back by a real server that binds none."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.store.address import parse_address
from collector.store.engine import QueryLimits
from collector.store.errors import StoreError
from collector.store.escaping import substituted
from collector.store.server import Server
from collector.store.texts import query_text

TEXT = st.text(st.characters(codec="utf-8"), max_size=60)
#: Texts made of what has a meaning in SQL, in literals or in placeholders.
EVIL_PARTS = (
    "'", "\\", "\0", "\b", "\n", "\r", "\t", "\u2028", " ", "`", '"', "--", "/*", "*/", ";",
    "(", ")", "{t:String}", "%s", "\\'", "''", "\\0", "\\x27", "\\u0027", "NULL", "\\N",
    "a", "é", "😀",
)  # fmt: skip
EVIL = st.lists(st.sampled_from(EVIL_PARTS), max_size=8).map("".join)


@pytest.fixture(scope="module")
def engine(clickhouse):
    address = parse_address(clickhouse.url("escaping"))
    opened = Server(address, QueryLimits(), query_text("engine_settings"))
    yield opened
    opened.close()


@settings(max_examples=300, deadline=None)
@given(
    TEXT | EVIL,
    st.lists(TEXT | EVIL, max_size=4),
    st.lists(st.integers(0, 2**64 - 1), max_size=4),
    st.integers(0, 2**64 - 1),
    st.floats(allow_nan=False, allow_infinity=False, allow_subnormal=False),
)
def test_values_come_back_unchanged_and_are_never_read_as_sql(
    engine, text, texts, numbers, number, real
):
    row = engine.select(
        "SELECT {t:String} AS t, {ts:Array(String)} AS ts, {ns:Array(UInt64)} AS ns, "
        "toUInt64({n:UInt64}) AS n, toFloat64({r:Float64}) AS r",
        {"t": text, "ts": texts, "ns": numbers, "n": number, "r": real},
    ).to_pylist()[0]
    assert row.pop("r") == pytest.approx(real, rel=1e-15)
    assert row == {"t": text, "ts": texts, "ns": numbers, "n": number}


@settings(max_examples=200, deadline=None)
@given(TEXT | EVIL)
def test_a_condition_holds_for_the_same_text_only(engine, text):
    asked = "SELECT count() AS n FROM (SELECT {t:String} AS a) WHERE a = {u:String}"
    assert engine.select(asked, {"t": text, "u": text})["n"].to_pylist() == [1]
    assert engine.select(asked, {"t": text, "u": text + "'"})["n"].to_pylist() == [0]


def test_a_long_list_is_no_limit(engine):
    ids = list(range(2**63, 2**63 + 50_000))
    asked = "SELECT length({ids:Array(UInt64)}) AS n, arraySum({ids:Array(UInt64)}) AS total"
    row = engine.select(asked, {"ids": ids}).to_pylist()[0]
    assert row == {"n": 50_000, "total": sum(ids) % 2**64}


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("UInt8", 256),
        ("UInt64", -1),
        ("UInt64", 2**64),
        ("UInt64", "1 OR 1=1"),
        ("UInt64", 1.5),
        ("Float64", "1"),
        ("Float64", float("nan")),
        ("Float64", float("inf")),
        ("String", 3),
        ("Array(UInt64)", ["1"]),
        ("Array(String)", [1]),
        ("Array(UInt64)", 1),
        ("Array(Identifier)", ["requests"]),
        ("Identifier", "requests; DROP TABLE requests"),
        ("Identifier", "requests\n"),
        ("DateTime", "2026-01-01"),
    ],
)
def test_a_value_of_another_type_is_refused(kind, value):
    with pytest.raises(StoreError, match="is no "):
        substituted(f"SELECT {{v:{kind}}}", {"v": value})


def test_a_value_that_was_not_given_is_refused():
    with pytest.raises(StoreError, match="'v', which was not given"):
        substituted("SELECT {v:String}", {"w": "x"})
