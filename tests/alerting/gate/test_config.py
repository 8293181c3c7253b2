"""gate.toml, good and bad."""

from pathlib import Path

import pytest

from alerting.gate.config import read_config
from alerting.gate.errors import GateError
from profiler.gate.records import Budget

GOOD = """
[app]
application = "shop:application"
env = { A = "b" }
[measure]
clock = 2026-02-03T04:05:06Z
layouts = 5
[budget]
relative = "2%"
[[endpoint]]
name = "POST /orders/"
absolute = 50000
[[endpoint.request]]
path = "/orders/?a=1"
headers = { X-User-Id = "7" }
body = "{}"
status = 201
[[endpoint]]
name = "graphql Feed"
relative = 0.005
[[endpoint.request]]
path = "/graphql"
method = "POST"
"""


def config(folder: Path, text: str):
    (folder / "gate.toml").write_text(text)
    return read_config(folder / "gate.toml")


def test_all_of_it(tmp_path: Path) -> None:
    read = config(tmp_path, GOOD)
    orders, feed = read.endpoints
    assert (read.application, read.env, read.layouts) == ("shop:application", {"A": "b"}, 5)
    assert read.clock_us == 1_770_091_506_000_000
    assert orders.budget == Budget(0.02, 50000.0)
    assert feed.budget == Budget(0.005, None)
    assert (orders.requests[0].method, orders.requests[0].status) == ("POST", 201)
    assert feed.requests[0].method == "POST"


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("[app]", "[ap]", "unknown key 'ap'"),
        ('application = "shop:application"', "", "application must be a text"),
        ("layouts = 5", "layouts = 1", "whole number from 2"),
        ("layouts = 5", "layouts = true", "whole number"),
        ('relative = "2%"', 'relative = "much"', "is no share"),
        ("absolute = 50000", "absolute = -1", "is no budget"),
        ("2026-02-03T04:05:06Z", "2026-02-03T04:05:06", "no time zone"),
        ('path = "/graphql"', 'path = "graphql"', "does not begin with /"),
        ("status = 201", "status = 99", "is no HTTP status"),
        ('name = "graphql Feed"', 'name = "POST /orders/"', "twice"),
        ("[measure]", "[measure", "is not TOML"),
        ('body = "{}"', 'bodi = "{}"', "unknown key 'bodi'"),
        ('env = { A = "b" }', "env = 3", "env must be a table"),
    ],
)
def test_bad_settings_are_one_sentence(tmp_path: Path, old: str, new: str, words: str) -> None:
    assert old in GOOD
    with pytest.raises(GateError, match=words) as raised:
        config(tmp_path, GOOD.replace(old, new))
    assert "\n" not in str(raised.value)


def test_no_endpoint_and_no_file(tmp_path: Path) -> None:
    with pytest.raises(GateError, match="nothing can pass"):
        config(tmp_path, GOOD.split("[[endpoint]]")[0])
    with pytest.raises(GateError, match="gate record"):
        read_config(tmp_path / "none.toml")
