"""The systemd files, checked by systemd's own tools."""

import subprocess
import sys
from configparser import ConfigParser
from pathlib import Path

from tests.privileges import needs_root

SERVICE = Path(__file__).parents[3] / "agent" / "service"
UNIT = SERVICE / "dynoscope-agent.service"
CONTAINERS = SERVICE / "containers.conf"
INSTALLED = "/opt/dynoscope/bin/dynoscope"


def unit(file: Path = UNIT) -> ConfigParser:
    """A unit, or a drop-in; of a setting that is given twice the last."""
    parser = ConfigParser(strict=file == UNIT, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment]
    parser.read(file)
    return parser


def analyze(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["systemd-analyze", *arguments], capture_output=True, text=True)


def test_systemd_finds_nothing_wrong(tmp_path):
    text = UNIT.read_text()
    assert INSTALLED in text
    here = tmp_path / UNIT.name
    here.write_text(text.replace(INSTALLED, str(Path(sys.executable).parent / "dynoscope")))
    found = analyze("verify", "--man=no", "--recursive-errors=no", str(here))
    assert (found.returncode, found.stderr) == (0, "")
    here.write_text(here.read_text().replace("PrivateTmp=yes", "PrivateTmpp=yes"))
    assert "PrivateTmpp" in analyze("verify", "--man=no", str(here)).stderr


def test_systemd_finds_nothing_wrong_with_the_drop_in_for_containers(tmp_path):
    here = tmp_path / UNIT.name
    text = UNIT.read_text()
    here.write_text(text.replace(INSTALLED, str(Path(sys.executable).parent / "dynoscope")))
    folder = tmp_path / f"{UNIT.name}.d"
    folder.mkdir()
    (folder / CONTAINERS.name).write_text(CONTAINERS.read_text())
    found = analyze("verify", "--man=no", "--recursive-errors=no", str(here))
    assert (found.returncode, found.stderr) == (0, "")
    (folder / CONTAINERS.name).write_text(CONTAINERS.read_text() + "RestrictNamespacess=no\n")
    assert "RestrictNamespacess" in analyze("verify", "--man=no", str(here)).stderr


def test_it_is_exposed_as_little_as_the_readme_says():
    found = analyze("security", "--offline=true", "--no-pager", "--threshold=24", str(UNIT))
    assert found.returncode == 0, found.stdout


def test_it_may_do_one_thing_more_than_its_user():
    service = unit()["Service"]
    assert service["AmbientCapabilities"] == service["CapabilityBoundingSet"] == "CAP_SYS_PTRACE"
    assert service["User"] not in ("", "root")
    assert service["NoNewPrivileges"] == "yes"
    families = service["RestrictAddressFamilies"].split()
    assert "AF_NETLINK" in families, "how many requests wait at a Unix socket"
    filtered = analyze("syscall-filter", "@ipc").stdout.split()
    assert service["SystemCallFilter"] == "@system-service" and "process_vm_readv" in filtered


def test_the_flags_of_its_command_are_the_agents():
    from agent.command import run_command

    words = unit()["Service"]["ExecStart"].split()
    flags = {flag for option in run_command.params for flag in option.opts}
    assert words[:3] == [INSTALLED, "agent", "run"]
    assert {word for word in words if word.startswith("--")} <= flags


@needs_root
def test_users_and_folders_are_made(tmp_path):
    (tmp_path / "etc").mkdir()
    for name in ("passwd", "group"):
        (tmp_path / "etc" / name).write_text("root:x:0:\n" if name == "group" else "")
    made = subprocess.run(
        ["systemd-sysusers", f"--root={tmp_path}", SERVICE / "dynoscope.sysusers"],
        capture_output=True,
        text=True,
    )
    assert made.returncode == 0, made.stderr
    assert "dynoscope:" in (tmp_path / "etc" / "group").read_text()
    folders = tmp_path / "tmpfiles.conf"
    folders.write_text((SERVICE / "dynoscope.tmpfiles").read_text())
    made = subprocess.run(
        ["systemd-tmpfiles", f"--root={tmp_path}", "--create", folders],
        capture_output=True,
        text=True,
    )
    assert made.returncode == 0, made.stderr
    assert (tmp_path / "dev/shm/dynoscope").stat().st_mode & 0o7777 == 0o2770
