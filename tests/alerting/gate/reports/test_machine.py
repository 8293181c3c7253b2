"""What programs read, read back by programs."""

import json
from dataclasses import replace
from xml.etree import ElementTree

from alerting.gate.reports.machine import github_report, json_report, junit_report
from tests.alerting.gate.comparisons import NASTY, comparison


def test_json_holds_the_records() -> None:
    read = json.loads(json_report(comparison()))
    assert read["verdict"] == "regression"
    assert read["unit"] == "instructions_simulated"
    assert [one["endpoint"] for one in read["endpoints"]][0] == NASTY
    assert read["endpoints"][0]["functions"][0]["symbol"] == "list_sort"
    assert read["headline"].startswith(NASTY + " costs 10.0% more")


def test_junit_counts_failures_and_errors() -> None:
    suite = ElementTree.fromstring(junit_report(comparison()))
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("5", "1", "1")
    cases = suite.findall("testcase")
    assert [case.get("name") for case in cases][0] == NASTY
    assert [len(case.findall("failure")) for case in cases] == [1, 0, 0, 0, 0]
    assert [len(case.findall("error")) for case in cases] == [0, 0, 0, 1, 0]
    assert "app.rank:score is 90% of the rise" in (cases[0].find("failure").text or "")


def test_junit_survives_what_xml_cannot_hold() -> None:
    whole = comparison()
    bad = replace(whole.endpoints[1], endpoint="GET /\x00\ud800/")
    suite = ElementTree.fromstring(junit_report(replace(whole, endpoints=(bad,))))
    assert suite.find("testcase").get("name") == "GET /??/"


def test_github_annotations_cannot_be_broken_out_of() -> None:
    lines = github_report(comparison()).splitlines()
    assert all(line.startswith(("::error ", "::warning ", "::notice ")) for line in lines)
    assert sum(line.startswith("::error ") for line in lines) == 3
    assert not any("GET /ok/" in line for line in lines)
    properties = lines[0].split("::")[1]
    assert properties.count(":") == 0
    assert "%250A" in properties


def test_a_pass_is_a_notice() -> None:
    whole = comparison("pass")
    passed = replace(whole, endpoints=whole.endpoints[1:2], causes=())
    assert github_report(passed).splitlines() == [
        "::notice title=CPU gate::no endpoint costs more than its budget allows"
    ]
