"""The proposal, read back."""

import tomllib

from alerting.gate.record import proposed_config


def row(endpoint: str, share: float, kind: str = "http") -> dict[str, object]:
    return {
        "endpoint": endpoint, "kind": kind, "cost_share": share, "requests": 10, "cost": 2e6,
        "cost_unit": "cpu_ns",
    }  # fmt: skip


def test_the_dearest_endpoints_that_make_up_the_share() -> None:
    rows = [
        row("GET /feed/", 0.6),
        row("task feed.fan_out", 0.1, "task"),
        row("POST /media/<id>/like/", 0.2),
        row("GET (unmatched)", 0.05),
        row("GET /rare/", 0.01),
    ]
    text = proposed_config(rows, share=0.8)
    read = tomllib.loads(text)
    assert [one["name"] for one in read["endpoint"]] == ["GET /feed/", "POST /media/<id>/like/"]
    assert read["endpoint"][0]["request"] == [{"path": "/feed/"}]
    assert "# FILL IN: <id>" in text
    assert "left out: task feed.fan_out" in text


def test_names_cannot_break_out_of_their_quotes() -> None:
    nasty = 'GET /a"\n[app]\\\x7f'
    read = tomllib.loads(proposed_config([row(nasty, 1.0)], share=1.0))
    assert read["endpoint"][0]["name"] == nasty
