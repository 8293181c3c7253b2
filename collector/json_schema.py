"""The JSON Schema of a type, as `answer_json` writes its values: a dataclass is an object."""

from dataclasses import fields, is_dataclass
from inspect import getdoc
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

__all__ = ["Schemas"]

Schema = dict[str, Any]

PLAIN: dict[Any, Schema] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    bool: {"type": "boolean"},
    # NaN and infinities, which JSON has not, are null.
    float: {"type": ["number", "null"]},
    NoneType: {"type": "null"},
    Any: {},
}


class Schemas:
    """Collects the dataclasses that it meets: name -> schema, for `components`."""

    def __init__(self) -> None:
        self.components: dict[str, Schema] = {}
        self._kinds: dict[str, type] = {}

    def of(self, kind: Any) -> Schema:
        """The schema of a type; raises TypeError for one that no answer has."""
        if kind in PLAIN:
            return dict(PLAIN[kind])
        origin, inner = get_origin(kind), get_args(kind)
        if origin is Literal:
            return {"enum": list(inner)}
        if origin in (Union, UnionType):
            return {"anyOf": [self.of(one) for one in inner]}
        if origin in (tuple, list):
            return self._array(inner)
        if origin is dict:
            return {"type": "object", "additionalProperties": self.of(inner[1])}
        if is_dataclass(kind) and isinstance(kind, type):
            return self._reference(kind)
        raise TypeError(f"{kind!r} has no JSON Schema: give it one in {__name__}")

    def object_of(self, kind: type, **known: Schema) -> Schema:
        """A dataclass as an object with all of its fields; `known`: those of a type variable."""
        hints = get_type_hints(kind)
        properties = {
            field.name: known.get(field.name) or self.of(hints[field.name])
            for field in fields(kind)
        }
        return {
            "type": "object",
            "description": " ".join((getdoc(kind) or "").split()),
            "properties": properties,
            "required": list(properties),
            "additionalProperties": False,
        }

    def _array(self, inner: tuple[Any, ...]) -> Schema:
        if len(inner) == 1 or inner[1:] == (...,):
            return {"type": "array", "items": self.of(inner[0])}
        each = [self.of(one) for one in inner]
        return {"type": "array", "prefixItems": each, "items": False, "minItems": len(each)}

    def _reference(self, kind: type) -> Schema:
        name = kind.__name__
        if self._kinds.setdefault(name, kind) is not kind:
            raise TypeError(f"{kind!r} and {self._kinds[name]!r} have one name: rename one")
        if name not in self.components:
            self.components[name] = {}  # known before its fields are, should it hold its like
            self.components[name] = self.object_of(kind)
        return {"$ref": f"#/components/schemas/{name}"}
