"""The read API: the same numbers as the answers, JSON, parameters, errors."""

import json
import math
import subprocess
import sys
from dataclasses import dataclass

import httpx
import pytest

from collector.answers.endpoints import endpoints
from collector.answers.records import Answer, Window
from collector.api import answer_json
from collector.questions import questions
from collector.store.errors import QueryStopped
from collector.tokens import load_or_make_tokens
from tests.collector import rows
from tests.collector.arrow import stream
from tests.collector.rows import ENDPOINTS, SERVICE, START_MS


@pytest.fixture(scope="module", autouse=True)
def filled(store):
    store.insert("requests", rows.request_rows(800, 1), "b1")
    later = rows.request_rows(800, 2, release="r2", start_ms=START_MS + 600_000)
    store.insert("requests", later, "b2")
    store.insert("stack_samples", rows.sample_rows(50, 1), "s1")
    store.insert("stacks", rows.stack_rows(), "s1")


def ask(site, path, **words):
    return site.client.get(path, query_string=words, headers=site.bearer("read"))


WORDS = {
    "canary": {"release": "r2", "control": "r1"},
    "compare": {"a": "release:r1", "b": "release:r2", "from": "-2h"},
    "functions": {"endpoint": ENDPOINTS[0]},
    "profiles": {"endpoint": ENDPOINTS[0]},
    "flamegraph": {"a": "release:r1", "b": "release:r2"},
    "metric": {"metric": "cpu_percent"},
    "series": {"endpoint": ENDPOINTS[0], "service": SERVICE},
    "source": {"function": "feed.ranking:score"},
}


@pytest.mark.parametrize("name", sorted(questions()))
def test_every_question_answers_in_the_envelope_and_in_strict_json(site, name):
    answer = ask(site, f"/v1/{name}", **WORDS.get(name, {}))
    assert answer.status_code == 200, answer.text
    body = json.loads(answer.text, parse_constant=pytest.fail)
    assert {"data", "unit", "truncated", "as_of", "limits"} <= set(body)
    assert answer.headers["Cache-Control"] == "no-store"


def test_the_api_gives_the_same_object_as_the_answer(site, store):
    window = Window(START_MS, START_MS + 1_200_000)
    answer = ask(
        site, "/v1/endpoints", **{"from": "2026-09-25T12:00:00Z", "to": "2026-09-25T12:20:00Z"}
    )
    direct = answer_json(endpoints(store, window, SERVICE))
    assert answer.json == json.loads(json.dumps(direct))
    assert answer.json["data"][0]["requests"] > 0
    assert answer.json["as_of"].startswith("2026-09-25T12:1")


@pytest.mark.parametrize(
    ("path", "words", "sentence"),
    [
        ("endpoints", {"from": "soon"}, "The time 'soon' is not understood"),
        ("endpoints", {"windw": "-1h"}, "'windw' is unknown here: there is from, service, to."),
        ("endpoints", {"from": ["-1h", "-2h"]}, "'from' is given twice"),
        ("compare", {"b": "release:r1"}, "a is needed, such as a=release:r1."),
        ("compare", {"a": "r1", "b": "r2"}, "write key:value"),
        ("series", {"endpoint": "x" * 5_000}, "endpoint is longer than 4096"),
    ],
)
def test_parameters_that_are_not_understood(site, path, words, sentence):
    answer = ask(site, f"/v1/{path}", **words)
    assert answer.status_code == 400
    assert sentence in answer.json["error"]


def test_an_unknown_question_lists_the_known_ones(site):
    answer = ask(site, "/v1/weather")
    assert answer.status_code == 404
    assert "ask advice, alerts, canary, capacity, changes, compare" in answer.json["error"]


@pytest.mark.parametrize("evil", ["'", "' OR '1'='1", "\\", "a\nb", "{x:String}", "\0", "; --"])
def test_quotes_and_sql_in_parameters_are_only_text(site, evil):
    words = {"service": evil, "endpoint": evil}
    assert ask(site, "/v1/series", **words).json["data"] == []
    side = {"a": f"release:{evil}", "b": f"host:{evil}", "service": SERVICE}
    compared = ask(site, "/v1/compare", **side)
    assert (compared.status_code, compared.json["data"]["verdict"]) == (200, "cannot tell")
    assert compared.json["data"]["evidence"]["requests_a"] == 0


def test_a_question_that_takes_too_long_is_told(site, store, monkeypatch):
    def stopped(*_: object) -> None:
        raise QueryStopped("The question needs more than 20 s: ask for a shorter window.")

    monkeypatch.setattr(store._engine, "select", stopped)
    answer = ask(site, "/v1/hosts")
    assert (answer.status_code, "shorter window" in answer.json["error"]) == (503, True)
    assert site.client.get("/readyz").status_code == 503
    assert site.client.get("/healthz").status_code == 200


def test_the_service_must_be_named_where_there_are_several(site, store):
    store.insert("requests", rows.request_rows(5, 7, service="zoo"), "zoo")
    answer = ask(site, "/v1/endpoints")
    assert answer.status_code == 400
    assert answer.json["error"] == f"service is needed: one of {SERVICE}, zoo."
    assert ask(site, "/v1/endpoints", service="zoo").status_code == 200


def test_numbers_that_json_has_not_become_null():
    @dataclass(frozen=True)
    class Row:
        value: float
        parts: tuple[float, ...]
        named: dict[str, float]

    row = Row(math.nan, (1.5, math.inf), {"x": -math.inf})
    plain = answer_json(Answer(data=row))
    assert plain["data"] == {"value": None, "parts": [1.5, None], "named": {"x": None}}
    assert plain["as_of"] is None


def test_over_real_http_from_batch_to_answer(tmp_path):
    """A collector process on a free port: a batch in, a number out, a page asked for its link."""
    tokens = load_or_make_tokens(tmp_path)
    command = [sys.executable, "-m", "tests.collector.serving", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            port = process.stdout.readline().split()[1]
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
                sent = client.put(
                    "/v1/batches/b1?table=requests",
                    content=stream(rows.request_rows(1_000, 1)),
                    headers={"Authorization": f"Bearer {tokens.ingest}"},
                )
                assert (sent.status_code, sent.content) == (204, b"")
                reader = {"Authorization": f"Bearer {tokens.read}"}
                answer = client.get("/v1/endpoints", headers=reader).json()
                assert sum(row["requests"] for row in answer["data"]) == 1_000
                assert client.get("/").status_code == 401
                opened = client.get("/healthz", params={"token": tokens.read})
                assert opened.json() == {"status": "ok"}
                large = client.put(
                    "/v1/batches/b2?table=requests",
                    content=b"\0" * 32_000_001,
                    headers={"Authorization": f"Bearer {tokens.ingest}"},
                )
                assert large.status_code == 413
        finally:
            process.terminate()
