from collector.answers.records import Delivery
from dashboards.blocks.alert_table import alert_table
from dashboards.urls import Query
from tests.dashboards.reading import links, text
from tests.dashboards.records import NOW_MS, alert


def test_an_alert_has_its_sentence_times_and_link():
    table = alert_table([alert()], Query("shop"), NOW_MS)
    shown = text(table)
    for part in ("firing", "ticket", "costs 25% more", "still firing", "after 2 s", "1 min ago"):
        assert part in shown
    export = f"/v1/alerts/{alert().id}/export"
    assert links(table) == ["/compare?a=release%3Ar1&b=release%3Ar2", export]


def test_what_was_not_delivered_says_so():
    ended = alert(state="resolved", ended_ms=NOW_MS, delivered_ms=0)
    shown = text(alert_table([ended], Query(), NOW_MS))
    assert "not yet" in shown and "still firing" not in shown


def test_no_alert():
    assert text(alert_table([], Query(), NOW_MS)) == "No alert fired in this time range."


def test_who_looks_at_it_and_which_receiver_is_away():
    away = Delivery("slack-1", "failed", "slack-1 answered 500 (attempt 3)", NOW_MS)
    there = Delivery("hook", "delivered", "delivered to hook (attempt 1)", NOW_MS)
    one = alert(deliveries=(away, there), acknowledged="ann: we look", silenced="bob: until noon")
    shown = text(alert_table([one], Query(), NOW_MS))
    assert "acknowledged by ann: we look" in shown and "silenced by bob: until noon" in shown
    assert "slack-1 answered 500 (attempt 3)" in shown and "delivered to hook" not in shown
