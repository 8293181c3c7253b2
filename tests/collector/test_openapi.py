"""The document is complete (every route is in it) and true (every answer is as it says)."""

import json
import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from collector.questions import questions
from tests.collector import rows
from tests.collector.arrow import stream, with_column
from tests.collector.rows import ENDPOINTS, START_MS

ONE_TRACE = "5" * 32
SLO = ["endpoint=", "good=within 500 ms", "slo=feed", "state=burning", "window_s=3600.0"]
ALERT = {
    "id": "a1", "rule": "feed", "state": "firing", "severity": "page", "labels": {"slo": "feed"},
    "summary": "Too slow.", "started_ms": START_MS, "ended_ms": 0,
}  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def filled(store):
    """Something for every question to answer."""
    for at in range(6):
        side = {"release": "r1" if at < 3 else "r2", "start_ms": START_MS + at * 300_000}
        factor = {"feed_factor": 1.0 if at < 3 else 1.5}
        requests = rows.request_rows(500, at, span_ms=300_000, **side, **factor)
        flags = [["new_ranker=on"] if i % 2 else ["new_ranker=off"] for i in range(500)]
        requests = with_column(requests, "flags", flags, requests["flags"].type)
        store.insert("requests", requests, f"b{at}")
        store.insert("stack_samples", rows.sample_rows(200, at, span_ms=300_000, **side), f"s{at}")
    store.insert("stacks", rows.stack_rows(), "stacks")
    store.insert("spans", rows.span_rows(ONE_TRACE), "spans")
    store.insert("line_samples", rows.line_rows(), "lines")
    store.insert("function_costs", rows.function_cost_rows(), "costs")
    store.insert("changes", rows.deploy_rows("r2", "r1"), "deploy")
    store.insert("limits", rows.limit_rows("records_overwritten", 3), "limit")
    store.insert("alert_events", rows.alert_rows("a1", "firing", json=json.dumps(ALERT)), "alert")
    store.insert("errors", rows.error_rows(3), "errors")
    store.insert("metrics", rows.metric_rows("cpu_percent", [5.0, 7.0]), "host")
    said = {"labels": ["pid=7", "release=r1", "unit_reason=none", "worker=1"], "source": "worker"}
    store.insert("metrics", rows.metric_rows("worker_state", [1.0], **said), "worker")
    said = {"labels": SLO, "source": "slo"}
    for name in ("slo_objective_ratio", "slo_sli_ratio", "slo_total"):
        store.insert("metrics", rows.metric_rows(name, [0.5], **said), name)


@pytest.fixture(scope="module")
def api(site):
    return site.client.get("/openapi.json").json


def errors(api, schema, value):
    """What is wrong with a value, by a schema that may refer to others of the document."""
    whole = {**schema, "components": api["components"]}
    Draft202012Validator.check_schema(whole)
    return [error.message for error in Draft202012Validator(whole).iter_errors(value)]


def is_as_documented(api, operation, answer):
    documented = operation["responses"]
    assert str(answer.status_code) in documented, answer.text
    content = documented[str(answer.status_code)].get("content", {})
    if "application/json" in content:
        schema = content["application/json"]["schema"]
        assert errors(api, schema, json.loads(answer.text, parse_constant=pytest.fail)) == []
    if answer.status_code in (429, 503):
        assert int(answer.headers["Retry-After"]) > 0


def test_it_is_open_to_all_and_of_version_3_1(site, api):
    assert api["openapi"].startswith("3.1.")
    assert site.client.get("/openapi.json").status_code == 200


def test_every_route_is_in_it_and_nothing_else(site, api):
    served = set()
    for rule in site.app.url_map.iter_rules():
        path = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule)
        names = (
            [path.replace("{name}", name) for name in questions()]
            if path == "/v1/{name}"
            else [path]
        )
        for name in names:
            served |= {(name, method.lower()) for method in rule.methods - {"HEAD", "OPTIONS"}}
    served -= {("/", "get"), ("/{page}", "get")}  # the pages, which tests stand in for
    assert served == {(path, method) for path, one in api["paths"].items() for method in one}


def test_references_lead_somewhere(api):
    named = set(re.findall(r'"#/components/schemas/(\w+)"', json.dumps(api)))
    assert named <= set(api["components"]["schemas"])
    assert {"EndpointRow", "Comparison", "Trace", "Error"} <= named


WORDS = {
    "canary": {"release": "r2", "control": "r1"},
    "compare": {"a": "release:r1", "b": "release:r2"},
    "flamegraph": {"a": "release:r1", "b": "release:r2"},
    "functions": {"endpoint": ENDPOINTS[0]},
    "metric": {"metric": "cpu_percent"},
    "profiles": {"endpoint": ENDPOINTS[0]},
    "source": {"function": "feed.ranking:score"},
}


@pytest.mark.parametrize("name", questions())
def test_every_answer_is_as_it_says(site, api, name):
    words = {"from": "-2h", **WORDS.get(name, {})} if name != "services" else {}
    answer = site.client.get(f"/v1/{name}", query_string=words, headers=site.bearer("read"))
    assert answer.status_code == 200
    assert answer.json["data"], "an empty answer says little"
    is_as_documented(api, api["paths"][f"/v1/{name}"]["get"], answer)


@pytest.mark.parametrize("name", questions())
def test_a_word_is_needed_exactly_where_it_says_so(site, api, name):
    needed = {p["name"] for p in api["paths"][f"/v1/{name}"]["get"]["parameters"] if p["required"]}
    whole = WORDS.get(name, {})
    for left_out in whole:
        words = {word: text for word, text in whole.items() if word != left_out}
        answer = site.client.get(f"/v1/{name}", query_string=words, headers=site.bearer("read"))
        assert (answer.status_code == 400) == (left_out in needed)
    assert needed <= set(whole)


def test_traces_and_wishes_are_as_it_says(site, api):
    read, admin, ingest = (site.bearer(kind) for kind in ("read", "admin", "ingest"))
    for trace_id in (ONE_TRACE, "6" * 32, "x"):
        answer = site.client.get(f"/v1/traces/{trace_id}", headers=read)
        is_as_documented(api, api["paths"]["/v1/traces/{trace_id}"]["get"], answer)
    for wish in ({"service": "s", "endpoint": "e"}, {"service": ""}):
        answer = site.client.post("/v1/profiles", json=wish, headers=admin)
        is_as_documented(api, api["paths"]["/v1/profiles"]["post"], answer)
    answer = site.client.get("/v1/profiles/wishes", headers=ingest)
    assert len(answer.json["wishes"]) == 1
    is_as_documented(api, api["paths"]["/v1/profiles/wishes"]["get"], answer)


def test_batches_and_changes_are_as_it_says(site, api):
    ingest = site.bearer("ingest")
    for body in (stream(rows.limit_rows("x", 1)), b"junk", b"\0" * 32_000_001):
        answer = site.client.put("/v1/batches/b?table=limits", data=body, headers=ingest)
        is_as_documented(api, api["paths"]["/v1/batches/{batch_id}"]["put"], answer)
    change = api["paths"]["/v1/changes"]["post"]
    schema = change["requestBody"]["content"]["application/json"]["schema"]
    for posted in ({"kind": "deploy", "service": "s"}, {"kind": "party", "service": "s"}, {}):
        answer = site.client.post("/v1/changes", json=posted, headers=ingest)
        is_as_documented(api, change, answer)
        assert bool(errors(api, schema, posted)) == (answer.status_code == 400)


@pytest.mark.parametrize(
    "path", ["/healthz", "/readyz", "/metrics", "/metrics/federate", "/openapi.json"]
)
def test_the_rest_is_as_it_says(site, api, path):
    answer = site.client.get(path, headers=site.bearer("read"))
    assert answer.status_code == 200
    is_as_documented(api, api["paths"][path]["get"], answer)


def test_without_the_right_token(site, api):
    for path, methods in api["paths"].items():
        for method, operation in methods.items():
            if {} in operation["security"] or not operation["security"]:
                continue
            address = path.replace("{trace_id}", ONE_TRACE).replace("{batch_id}", "b")
            allowed = {kind for one in operation["security"] for kind in one}
            others = {"read", "ingest", "admin"} - allowed
            for headers in ({}, *map(site.bearer, others)):
                answer = site.client.open(address, method=method.upper(), headers=headers)
                assert answer.status_code in (401, 403)
                is_as_documented(api, operation, answer)


TEXTS = st.one_of(
    st.text(max_size=30),
    st.sampled_from(
        ["now", "-1h", "-1d", "-400d", "-999999999d", "2026-09-25T12:00:00Z", "9999-12-31", "1970",
         "release:r1", "release:r1,host:web-1", "window:-2h..-1h", "host:", "flag:x", "firing",
         "nan", "inf", "-1", "0.5", "1e400", *ENDPOINTS, rows.SERVICE, "x" * 5_000]
    ),
)  # fmt: skip
ASKED = st.sampled_from(sorted(questions())).flatmap(
    lambda name: st.tuples(
        st.just(name),
        st.dictionaries(
            st.sampled_from(
                [*"ab", "from", "to", "service", "endpoint", "release", "state", "share"]
            ),
            TEXTS,
            max_size=4,
        ),
    )
)
ANY = {"deadline": None, "suppress_health_check": list(HealthCheck)}


def is_answered_as_documented(site, api, asked):
    name, words = asked
    answer = site.client.get(f"/v1/{name}", query_string=words, headers=site.bearer("read"))
    is_as_documented(api, api["paths"][f"/v1/{name}"]["get"], answer)


@settings(max_examples=100, **ANY)
@given(ASKED)
def test_a_hundred_odd_questions(site, api, asked):
    is_answered_as_documented(site, api, asked)


@pytest.mark.long
@pytest.mark.timeout(3_000)
@settings(max_examples=3_000, **ANY)
@given(ASKED)
def test_three_thousand_odd_questions(site, api, asked):
    is_answered_as_documented(site, api, asked)
