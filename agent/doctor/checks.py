"""The checks of a host, one function each. Pure: facts in, a finding out."""

from collections.abc import Callable

from agent.doctor.facts import Facts
from agent.doctor.findings import Finding
from agent.doctor.host_checks import (
    containers,
    counters,
    ptrace,
    py_spy,
    ring_folder,
    shared_memory,
)
from agent.doctor.outside_checks import clock, collector, spool, token
from agent.doctor.worker_checks import names, rings, settings, uwsgi

__all__ = ["CHECKS", "findings"]

#: In the order in which one mends a host.
CHECKS: tuple[Callable[[Facts], Finding], ...] = (
    shared_memory,
    ring_folder,
    rings,
    settings,
    names,
    uwsgi,
    counters,
    ptrace,
    containers,
    py_spy,
    collector,
    token,
    clock,
    spool,
)


def findings(facts: Facts) -> list[Finding]:
    """Every check's finding."""
    return [check(facts) for check in CHECKS]
