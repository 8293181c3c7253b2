from agent.limits import Limits


def test_a_failed_flush_loses_no_count():
    limits = Limits()
    limits.add("records_torn", 3, service="shop")
    taken = limits.pending()
    limits.add("records_torn", 2, service="shop")
    assert limits.pending() == {("shop", "agent", "records_torn"): 5}
    limits.settle(taken)
    assert limits.pending() == {("shop", "agent", "records_torn"): 2}
    limits.add("nothing", 0)
    limits.note({("", "probe", "strings_full"): 4})
    assert limits.totals() == {"agent.records_torn": 5, "probe.strings_full": 4}
