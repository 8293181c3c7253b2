"""Values as SQL text, for servers that bind no `{name:Type}`: the only place where that happens."""

import math
import re
from collections.abc import Mapping

from collector.store.engine import Parameter
from collector.store.errors import StoreError

__all__ = ["PLACEHOLDER", "substituted"]

PLACEHOLDER = re.compile(r"\{(\w+):([\w()]+)\}")
INTEGER_BITS = {"UInt8": 8, "UInt16": 16, "UInt32": 32, "UInt64": 64}
IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
ARRAY = re.compile(r"Array\((\w+)\)")
#: In quotes only these two end or change what follows; a zero byte would end the statement.
ESCAPES = str.maketrans({"\\": "\\\\", "'": "\\'", "\0": "\\0"})


def substituted(statement: str, parameters: Mapping[str, Parameter]) -> str:
    """The statement with each `{name:Type}` replaced by the literal of its value, in one pass."""

    def literal_of(match: re.Match[str]) -> str:
        name, kind = match.groups()
        if name not in parameters:
            raise StoreError(f"The query asks for {name!r}, which was not given.")
        return _literal(parameters[name], kind)

    return PLACEHOLDER.sub(literal_of, statement)


def _literal(value: Parameter, kind: str) -> str:
    if kind == "String" and isinstance(value, str):
        return f"'{value.translate(ESCAPES)}'"
    if kind in INTEGER_BITS and isinstance(value, int) and 0 <= value < 1 << INTEGER_BITS[kind]:
        return str(int(value))  # bare: LIMIT takes no expression
    if kind == "Float64" and isinstance(value, int | float) and math.isfinite(value):
        return repr(float(value))
    if kind == "Identifier" and isinstance(value, str) and IDENTIFIER.fullmatch(value):
        return value
    array = ARRAY.fullmatch(kind)
    if array and array[1] != "Identifier" and isinstance(value, list):
        return f"CAST([{','.join(_literal(item, array[1]) for item in value)}] AS {kind})"
    raise StoreError(f"A value of type {type(value).__name__} is no {kind}, or out of its range.")
