"""What the gate measures and says. Costs are those of one request, in the unit that is named."""

from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = [
    "Budget", "Call", "Changed", "Comparison", "Counted", "EndpointVerdict", "Expectation",
    "Function", "Graph", "Side",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Budget:
    """What one endpoint may cost more: a share, and a number of the unit (None: no such limit)."""

    relative: float
    absolute: float | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """From one own-code function to another, per request: number of calls, cost beneath them."""

    caller: str
    callee: str
    calls: float
    inclusive: float


@dataclass(frozen=True, slots=True)
class Function:
    """One own-code function per request; `own` includes the library and C code that it calls."""

    name: str
    own: float


@dataclass(frozen=True, slots=True)
class Graph:
    """Who calls whom in one endpoint, own code only; all outside of it is `(framework)`."""

    functions: tuple[Function, ...] = ()
    calls: tuple[Call, ...] = ()


@dataclass(frozen=True, slots=True)
class Counted:
    """One endpoint: cost of a request in each memory layout, and what it answered."""

    endpoint: str
    layouts: tuple[float, ...]
    answered: tuple[tuple[int, int], ...] = ()
    graph: Graph = field(default_factory=Graph)
    luck: Mapping[str, tuple[tuple[float, float], ...]] = field(default_factory=dict)
    """kind -> (calls, cost) in each layout of what hangs on where objects lie; empty: not known"""


@dataclass(frozen=True, slots=True)
class Side:
    """One measured commit."""

    label: str
    unit: str
    python: str
    packages: dict[str, str]
    counted: tuple[Counted, ...]
    absent: tuple[str, ...] = ()
    """endpoints that this side does not have"""


@dataclass(frozen=True, slots=True)
class Expectation:
    """A rise that a commit message announced: `# gate: expect +5% feed because ...`."""

    rise: float
    endpoint: str
    reason: str
    commit: str


@dataclass(frozen=True, slots=True)
class Changed:
    """A function that costs an endpoint more; `blame` per request, `share` of the rise."""

    name: str
    blame: float
    share: float
    calls_before: float
    calls_after: float
    inclusive_before: float
    inclusive_after: float
    callers: tuple[str, ...]
    symbol: str = ""
    """the C function in which it rose most, where that was looked for"""


@dataclass(frozen=True, slots=True)
class EndpointVerdict:
    """`verdict`: pass, regression, expected, improved, new, gone or unstable."""

    endpoint: str
    verdict: str
    before: float
    after: float
    rise: float
    low: float
    high: float
    budget: Budget
    layouts: int
    functions: tuple[Changed, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class Comparison:
    """`verdict`: pass, regression or unanswered; `floor`: the widest half interval."""

    base: str
    head: str
    unit: str
    verdict: str
    floor: float
    endpoints: tuple[EndpointVerdict, ...]
    causes: tuple[str, ...] = ()
    """differences beside the code: interpreter, packages"""
    expectations: tuple[Expectation, ...] = ()
