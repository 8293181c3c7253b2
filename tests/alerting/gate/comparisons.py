"""A comparison with one of each verdict, and names that try to break out of the formats."""

from profiler.gate.records import Budget, Changed, Comparison, EndpointVerdict

NASTY = 'GET /a|b/<id>/"&`x`::error::%0A]]>'


def comparison(verdict: str = "regression") -> Comparison:
    rank = Changed(
        "app.rank:score", 90_000.0, 0.9, 40.0, 80.0, 1e5, 1.9e5, ("app.views:feed",), "list_sort"
    )
    return Comparison(
        base="aaa",
        head="bbb",
        unit="instructions_simulated",
        verdict=verdict,
        floor=0.0004,
        endpoints=(
            EndpointVerdict(
                NASTY, "regression", 1e6, 1.1e6, 0.1, 0.099, 0.101, Budget(0.01, 5e4), 4, (rank,)
            ),
            EndpointVerdict("GET /ok/", "pass", 1e6, 1e6, 0.0, 0.0, 0.0, Budget(0.01), 4),
            EndpointVerdict(
                "GET /known/", "expected", 1e6, 1.05e6, 0.05, 0.049, 0.051, Budget(0.01), 4, (),
                "abc expects +5.0% because we <b>rank</b> twice",
            ),
            EndpointVerdict(
                "GET /bad/", "unstable", 0, 0, 0, 0, 0, Budget(0.01), 0, (), "answered 500"
            ),
            EndpointVerdict("GET /new/", "new", 0, 0, 0, 0, 0, Budget(0.01), 0, (), "no base"),
        ),
        causes=("package django: 5.1 -> 5.2",),
    )  # fmt: skip
