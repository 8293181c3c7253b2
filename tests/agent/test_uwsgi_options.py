import pytest

from agent.uwsgi_options import is_uwsgi, options, stats_address, truth

FILES = {
    "app.ini": """
; a comment
[other]
stats = never:1
[uwsgi]
run = /run/%n
stats = %(run)/$(NAME).stats
py_call_osafterfork
include = %dmore.ini
""",
    "./more.ini": "[uwsgi]\nmaster = 1\nstats-http = yes\ninclude = ./more.ini\n",
    "two.ini": "[uwsgi]\nstats = :1\n[eu]\nstats = :2\n",
    "odd.ini": "[uwsgi]\nstats = %(nobody)\nno equals\n= nothing\n[[[\n",
}
ENVIRON = {"NAME": "web", "UWSGI_PY_CALL_OSAFTERFORK": "1", "UWSGI_ORIGINAL_PROC_NAME": "x"}


def told(*command, **environ):
    return options(command, environ, FILES.get)


@pytest.mark.parametrize(
    ("command", "address"),
    [
        (["uwsgi", "--stats", "/run/a.stats"], "/run/a.stats"),
        (["uwsgi", "--stats=127.0.0.1:1717", "-M"], "127.0.0.1:1717"),
        (["uwsgi", "-M", "--stats-server", ":1717", "--stats-http"], "http://:1717"),
        (["python", "-m", "pyuwsgi", "--ini=two.ini"], ":1"),
        (["uwsgi", "--ini", "two.ini:eu"], ":2"),
        (["uwsgi", "two.ini"], ":1"),
        (["uwsgi", "two.ini", "--stats", ":3"], ":1"),
        (["uwsgi", "--ini", "two.ini", "--stats", ":3"], ":3"),
        (["uwsgi", "--stats", ":3", "--ini", "two.ini"], ":1"),
        (["uwsgi", "--ini", "missing.ini"], ""),
        (["uwsgi", "--ini", "odd.ini"], ""),
        (["uwsgi"], ""),
        ([], ""),
    ],
)
def test_the_stats_address_that_uwsgi_takes(command, address):
    assert stats_address(told(*command)) == address


def test_placeholders_includes_and_environment():
    found = options(["uwsgi", "--ini", "app.ini"], ENVIRON, FILES.get)
    assert stats_address(found) == "http:///run/app/web.stats"
    assert truth(found, "py-call-osafterfork") and truth(found, "master")
    assert not truth(found, "lazy-apps")
    assert "original-proc-name" not in found
    again = options(["uwsgi"], ENVIRON, FILES.get)
    assert truth(again, "py-call-osafterfork"), "from the environment alone"


def test_files_that_include_each_other_end():
    files = {f"{n}.ini": f"[uwsgi]\ninclude = {n + 1}.ini\n" for n in range(1_000)}
    read = []

    def text(name):
        read.append(name)
        return files.get(name)

    options(["uwsgi", "0.ini"], {}, text)
    assert len(read) <= 16


@pytest.mark.parametrize(
    ("command", "is_one"),
    [
        (["/usr/bin/uwsgi", "--ini", "a"], True),
        (["/usr/bin/uwsgi-core"], True),
        (["python3", "/venv/bin/pyuwsgi"], True),
        (["python3", "-m", "pyuwsgi"], True),
        (["gunicorn", "app:uwsgi"], False),
        (["python3", "/srv/uwsgi/manage.py"], False),
        ([], False),
    ],
)
def test_what_starts_uwsgi(command, is_one):
    assert is_uwsgi(command) == is_one
