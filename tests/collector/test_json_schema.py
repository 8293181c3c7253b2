"""The JSON Schema of a type."""

from dataclasses import dataclass
from typing import Any, Literal

import pytest
from jsonschema import Draft202012Validator

from collector.json_schema import Schemas


@dataclass
class Inner:
    """One."""

    at: int


@dataclass
class Outer:
    """Several
    lines."""

    cost: float
    parts: tuple[Inner, ...]
    pairs: tuple[tuple[str, float], ...]
    word: Literal["a", "b"]
    named: dict[str, int]
    perhaps: Inner | None
    anything: Any


GOOD = {
    "cost": None, "parts": [{"at": 1}], "pairs": [["x", 1.5]], "word": "a", "named": {"x": 1},
    "perhaps": None, "anything": [{}],
}  # fmt: skip


def validator() -> Draft202012Validator:
    schemas = Schemas()
    schema = schemas.of(Outer)
    whole = {**schema, "components": {"schemas": schemas.components}}
    Draft202012Validator.check_schema(whole)
    assert schemas.components["Outer"]["description"] == "Several lines."
    return Draft202012Validator(whole)


def test_a_value_of_the_type_is_valid():
    assert not list(validator().iter_errors(GOOD))


@pytest.mark.parametrize(
    "change",
    [
        {"cost": "1"}, {"parts": [{}]}, {"parts": [{"at": 1, "by": 2}]}, {"pairs": [["x"]]},
        {"pairs": [["x", 1, 2]]}, {"word": "c"}, {"named": {"x": "y"}}, {"perhaps": 1}, {"new": 1},
    ],
    ids=str,
)  # fmt: skip
def test_any_other_is_not(change):
    assert list(validator().iter_errors(GOOD | change))


def test_what_no_answer_has_is_an_error():
    with pytest.raises(TypeError, match="has no JSON Schema"):
        Schemas().of(set[int])


def test_two_types_of_one_name_are_an_error():
    schemas = Schemas()
    schemas.of(Inner)
    other = dataclass(type("Inner", (), {"__annotations__": {"at": str}}))
    with pytest.raises(TypeError, match="one name"):
        schemas.of(other)
