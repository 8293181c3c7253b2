"""The address of a page is its state. `Query` is what addresses say, `href` writes one."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from urllib.parse import urlencode

__all__ = ["RANGES", "Query", "href", "parse_query"]

#: What the time picker offers: `from` in the address -> what people read.
RANGES = {
    "-5m": "5 min",
    "-15m": "15 min",
    "-1h": "1 h",
    "-6h": "6 h",
    "-24h": "24 h",
    "-7d": "7 d",
}

TEXT_MAX = 300
#: Field -> its name in the address, where that is a Python keyword.
_NAMES = {"start": "from", "end": "to"}


@dataclass(frozen=True, slots=True)
class Query:
    """What an address asks for; empty means: the page chooses."""

    service: str = ""
    endpoint: str = ""
    release: str = ""
    #: sides of a comparison, such as `release:r1`
    a: str = ""
    b: str = ""
    #: `-1h`, or RFC 3339; empty: as long as the page likes to look back
    start: str = ""
    end: str = "now"
    #: of a flame graph: from this function on, by view callers or callees; what is folded
    function: str = ""
    #: the function's name on side a, where it was renamed
    was: str = ""
    view: str = ""
    fold: str = ""
    #: of the metrics page
    metric: str = ""

    @property
    def is_live(self) -> bool:
        return self.end == "now"


def parse_query(values: Mapping[str, object]) -> Query:
    """Of the names and values in an address; unknown names are left out, long values cut."""
    fields = asdict(Query())
    for name in fields:
        value = values.get(_NAMES.get(name, name), values.get(name))
        if isinstance(value, str) and value:
            fields[name] = value[:TEXT_MAX]
    return Query(**fields)


def href(path: str, query: Query, **changes: str) -> str:
    """The address of a page for `query` with `changes`; what is at its default is left out."""
    values, defaults = asdict(replace(query, **changes)), asdict(Query())
    given = {_NAMES.get(k, k): v for k, v in values.items() if v != defaults[k]}
    return f"{path}?{urlencode(given)}" if given else path
