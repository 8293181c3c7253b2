import pytest

from dashboards.blocks.findings import alert_link, findings
from dashboards.urls import Query
from tests.dashboards.reading import links, text, texts
from tests.dashboards.records import NOW_MS, alert, deploy

QUERY = Query("shop", start="-6h")


def test_firing_alerts_come_first_then_the_newest():
    resolved = alert(id="a2", state="resolved", summary="Resolved", ended_ms=NOW_MS - 1_000)
    shown = texts(findings([resolved, alert()], [deploy(NOW_MS - 500)], QUERY, NOW_MS))
    order = [word for word in shown if word in ("firing", "resolved", "deploy")]
    assert order == ["firing", "deploy", "resolved"]


def test_a_deploy_leads_to_its_comparison():
    found = findings([], [deploy(NOW_MS - 120_000)], QUERY, NOW_MS)
    assert "r2 replaced r1: rolling restart" in text(found)
    assert "2 min ago" in text(found)
    assert links(found) == ["/compare?service=shop&a=release%3Ar1&b=release%3Ar2"]


def test_a_first_deploy_has_nothing_to_compare_with():
    assert links(findings([], [deploy(NOW_MS, previous="")], QUERY, NOW_MS)) == []


def test_what_is_too_much_is_counted():
    many = [deploy(NOW_MS - i) for i in range(20)]
    assert "8 more" in text(findings([], many, QUERY, NOW_MS))


def test_nothing_found_says_how_deploys_come_here():
    assert "POST /v1/changes" in text(findings([], [], QUERY, NOW_MS))


@pytest.mark.parametrize(
    ("to", "path"),
    [
        ("http://127.0.0.1:8600/compare?a=1&b=2", "/compare?a=1&b=2"),
        ("https://elsewhere.example/compare?a=1", "/compare?a=1"),
        ("javascript:alert(1)", "/alerts?service=shop"),
        ("http://x//evil.example/compare", "/alerts?service=shop"),
        ("http://x/\\evil.example/compare", "/alerts?service=shop"),
        ("", "/alerts?service=shop"),
    ],
)
def test_of_an_alerts_link_only_our_own_path_is_taken(to, path):
    assert alert_link(alert(payload={"links": {"compare": to}}), QUERY) == path


def test_an_alert_without_links_leads_to_the_alerts():
    assert alert_link(alert(payload={}, labels={}), QUERY) == "/alerts?service=shop"
