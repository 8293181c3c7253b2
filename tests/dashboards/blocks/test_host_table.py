from dashboards.blocks.host_table import host_table
from tests.dashboards.reading import text
from tests.dashboards.records import NOW_MS, host


def test_a_host_has_its_numbers_and_what_was_lost():
    shown = text(host_table([host()], NOW_MS))
    for part in ("web-1", "r1, r2", "6,687", "cpu_ns", "samples late: 12", "agent_cpu_share 0.004"):
        assert part in shown
    assert " late " not in shown.replace("samples late", "").replace("Lost or late", "")


def test_a_silent_agent_is_late():
    quiet = host(last_ms=NOW_MS - 300_000, limits=(), metrics={})
    shown = text(host_table([quiet], NOW_MS))
    assert "5 min ago late" in " ".join(shown.split())
    assert "nothing" in shown


def test_why_a_host_does_not_count_instructions_stands_beside_its_unit():
    why = "perf_event_open: EPERM (Operation not permitted)"
    assert f"cpu_ns {why}" in text(host_table([host(cost_unit_reasons=(why,))], NOW_MS))


def test_no_host_asks_for_the_agent():
    assert "Is its agent running?" in text(host_table([], NOW_MS))
