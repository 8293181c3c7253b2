"""Cost per active user, against the same hour of the days before."""

import numpy as np
import pytest

from alerting.headline import check_headline
from alerting.rules import HeadlineRule
from collector.store.store import Store
from tests.alerting.traffic import START_MS, put_requests

RULE = HeadlineRule("per-user", "", 0.10, 7, 1_000, 50, "ticket", 3_600)
HOUR_MS, DAY_MS = 3_600_000, 86_400_000


def days(stored: Store, service: str, costs: list[float], users: int = 100) -> list[str]:
    """One hour a day, the newest last; what is found at the end of the last one."""
    for day, cost in enumerate(reversed(costs)):
        n = 1_200
        put_requests(
            stored, start_ms=START_MS - day * DAY_MS, span_ms=HOUR_MS, n=n, service=service,
            cost=np.full(n, round(cost * 1e6)), user_hash=np.arange(n) % users + 1,
        )  # fmt: skip
    check = check_headline(stored, RULE, START_MS + HOUR_MS + 90_000, "http://x")
    return [f.summary for f in check.findings if f.labels["service"] == service]


def test_above_every_day_before_by_more_than_the_budget(stored: Store) -> None:
    (summary,) = days(stored, "dearer", [1.0, 1.2, 1.1, 1.0, 1.5])
    assert "1.8e+07 cpu_ns per active user" in summary
    assert "+25.0% above the highest of the same hour of the 4 days before" in summary


@pytest.mark.parametrize(
    ("service", "costs", "users"),
    [
        ("season", [1.5, 1.0, 1.0, 1.0, 1.5], 100),  # one day before was as dear
        ("within", [1.0, 1.0, 1.0, 1.0, 1.09], 100),
        ("young", [1.0, 1.0, 1.5], 100),  # two days are too few
        ("few-users", [1.0, 1.0, 1.0, 1.0, 1.5], 20),
    ],
)
def test_what_is_no_rise(stored: Store, service: str, costs: list[float], users: int) -> None:
    assert days(stored, service, costs, users) == []
