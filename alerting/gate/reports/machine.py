"""The comparison for programs: JSON, JUnit XML, GitHub's annotations."""

import json
import re
from dataclasses import asdict
from xml.etree.ElementTree import Element, SubElement, tostring

from alerting.gate.reports.words import explained, headline, measured_words
from profiler.gate.records import Comparison

__all__ = ["github_report", "json_report", "junit_report"]

#: Characters that XML 1.0 cannot hold.
_NO_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def json_report(comparison: Comparison) -> str:
    """The records of profiler.gate.records by their fields' names, and the headline."""
    return json.dumps({"headline": headline(comparison), **asdict(comparison)}, indent=2)


def junit_report(comparison: Comparison) -> str:
    """One test case an endpoint: a regression is a failure, what could not be measured an error."""
    endpoints = comparison.endpoints
    suite = Element(
        "testsuite",
        name="dynoscope gate",
        tests=str(len(endpoints)),
        failures=str(sum(one.verdict == "regression" for one in endpoints)),
        errors=str(sum(one.verdict == "unstable" for one in endpoints)),
    )
    for one in endpoints:
        case = SubElement(suite, "testcase", classname="cpu cost", name=_xml(one.endpoint))
        kind = {"regression": "failure", "unstable": "error"}.get(one.verdict)
        if kind:
            SubElement(case, kind, message=_xml(explained(one)[0])).text = _xml(
                "\n".join(explained(one))
            )
        SubElement(case, "system-out").text = _xml("\n".join(explained(one)))
    SubElement(suite, "system-out").text = _xml(measured_words(comparison))
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(suite, encoding="unicode") + "\n"


def github_report(comparison: Comparison) -> str:
    """Workflow commands: an error for each regression and what was not measured."""
    kinds = {"regression": "error", "unstable": "error", "expected": "warning"}
    lines = [
        f"::{kinds.get(one.verdict, 'notice')} title={_property('CPU of ' + one.endpoint)}::"
        + _data("\n".join(explained(one)))
        for one in comparison.endpoints
        if one.verdict != "pass" or one.note
    ]
    lines += [f"::warning title=CPU gate::{_data(cause)}" for cause in comparison.causes]
    kind = "notice" if comparison.verdict == "pass" else "error"
    return "\n".join([*lines, f"::{kind} title=CPU gate::{_data(headline(comparison))}"])


def _xml(text: str) -> str:
    return _NO_XML.sub("?", text)


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
