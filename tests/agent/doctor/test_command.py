import json

import pytest
from click.testing import CliRunner

from agent.doctor.command import doctor
from collector.tokens import load_or_make_tokens
from dynoscope import main
from tests.agent.processes import until
from tests.agent.test_command import agent_process, status_of
from tests.agent.uwsgi_server import uwsgi
from tests.collector.test_exactly_once import collector


@pytest.mark.parametrize("after_fork", [True, False])
def test_a_host_with_all_its_parts(tmp_path, after_fork):
    """All real: uWSGI, agent, collector. Nothing fails but the ini line that is left out."""
    load_or_make_tokens(tmp_path)
    rings, spool, token = tmp_path / "rings", tmp_path / "spool", tmp_path / "ingest.token"
    rings.mkdir(mode=0o700)
    options = ["--py-call-osafterfork"] if after_fork else []
    with collector(tmp_path, "0") as (_, url), uwsgi(rings, *options, "--stats", "127.0.0.1:0"):
        arguments = ["--ring-dir", str(rings), "--spool", str(spool), "--url", url]
        arguments += ["--token-file", str(token)]
        with agent_process(rings, spool, url, "--token-file", str(token)):
            until(lambda: (status := status_of(spool)) and status["ship"]["last_ok_ms"])
            as_json = CliRunner().invoke(doctor, [*arguments, "--json"])
            as_text = CliRunner().invoke(doctor, arguments)
    found = {one["check"]: one for one in json.loads(as_json.output)["data"]}
    states = {name: one["state"] for name, one in found.items()}
    assert [name for name, state in states.items() if state == "failed"] == (
        [] if after_fork else ["uwsgi"]
    )
    for name in ("ring folder", "rings", "py-spy", "collector", "token", "clock", "spool"):
        assert states[name] == "ok", found[name]
    assert as_json.exit_code == as_text.exit_code == (0 if after_fork else 1)
    assert ("py-call-osafterfork = true" in as_text.output) is not after_fork
    assert "shop: 1" in as_text.output


def test_nothing_is_there(tmp_path):
    nowhere = str(tmp_path / "none")
    result = CliRunner().invoke(
        doctor, ["--ring-dir", nowhere, "--spool", nowhere, "--url", "http://127.0.0.1:1"]
    )
    assert result.exit_code == 1
    assert "Nothing answers at http://127.0.0.1:1" in result.output
    assert "No living worker has a ring" in result.output


def test_it_asks_about_the_agent_of_the_settings_file(tmp_path):
    settings = tmp_path / "dynoscope.toml"
    settings.write_text(
        f'[agent]\nurl = "http://127.0.0.1:9"\nring_dir = "{tmp_path}/rings"\nbudget = "2%"\n'
        f'spool = "{tmp_path}/spool"\n'
    )
    result = CliRunner().invoke(main, ["--config", str(settings), "doctor", "--json"])
    told = {one["check"]: one["says"] for one in json.loads(result.output)["data"]}
    assert "http://127.0.0.1:9" in told["collector"]
    assert f"{tmp_path}/rings" in told["rings"] and f"{tmp_path}/spool" in told["spool"]
