"""The real server against its own document, by a tool that knows nothing of it but that."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.collector.serve_process import seeded_server

#: A batch is no JSON: tests/collector/test_bad_input.py sends bad ones. A window that ends before
#: it begins, and the like, is refused though each word of it is right: no schema can say that.
WITHOUT = (
    "--exclude-path",
    "/v1/batches/{batch_id}",
    "--exclude-checks",
    "positive_data_acceptance",
)

#: 413, too: what is longer than the document allows may be too large altogether.
REFUSALS = """
[checks.negative_data_rejection]
expected-statuses = [400, 401, 403, 404, 405, 406, 409, 413, 415, 422, 429]
"""


@pytest.mark.timeout(3_600)
@pytest.mark.parametrize(
    ("phases", "examples"),
    [
        ("fuzzing", 3),
        pytest.param("coverage,fuzzing,stateful", 100, marks=pytest.mark.long),
    ],
)
def test_the_server_is_as_its_document_says(tmp_path, phases, examples):
    data = tmp_path / "data"
    with seeded_server(data) as (_, url, *_words):
        config = tmp_path / "schemathesis.toml"
        tokens = "".join(_auth(data, kind) for kind in ("read", "ingest", "admin"))
        config.write_text(tokens + REFUSALS)
        told = subprocess.run(
            [
                Path(sys.executable).parent / "schemathesis", "--config-file", config,
                "run", f"{url}/openapi.json", "--phases", phases, "--max-examples", str(examples),
                "--seed", "1", "--no-shrink", "--continue-on-failure", "--no-color",
                "--suppress-health-check", "all", "--request-timeout", "120",
                "--generation-database", "none", *WITHOUT,
            ],
            cwd=tmp_path, capture_output=True, text=True,
        )  # fmt: skip
    assert told.returncode == 0, told.stdout[-6_000:] + told.stderr[-2_000:]
    tested = re.search(r"Tested: (\d+)", told.stdout)
    assert tested and int(tested[1]) > 20, told.stdout[-3_000:]
    cases = re.search(r"(\d+) generated", told.stdout)
    assert cases and int(cases[1]) >= 3 * 20, told.stdout[-3_000:]


def _auth(data: Path, kind: str) -> str:
    token = (data / f"{kind}.token").read_text().strip()
    return f'[auth.openapi.{kind}]\nbearer = "{token}"\n'
