"""What .ci/setup says when something it needs cannot be had, and how it leaves the machine.

apt, dpkg, pip and Python are the machine's own, over a package database and an installation root
of the test's. Only what must fail, or must not touch the machine, is another command of that name.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

ROOT = Path(__file__).parent.parent
SETUP = ROOT / ".ci/setup"
NEEDED = ("pyproject.toml", "requirements.lock", "probe/pyproject.toml", ".ci/setup")
NOBODY = 65534
CLOSED_PORT = "http://127.0.0.1:9"
OWNERS_POLICY = "#!/bin/sh\n# the owner's\nexit 104\n"
#: Nothing installed by mistake: these are given to a test by name, or not there.
WITHHELD = re.compile(r"sudo|apt.*|systemctl|update-rc\.d|i?python.*|pip.*")


class Machine:
    """A checkout, a folder of commands and a root with dpkg's database, all below one folder."""

    def __init__(self, folder: Path) -> None:
        self.checkout, self.commands = folder / "checkout", folder / "commands"
        self.root = folder / "root"
        for name in NEEDED:
            (self.checkout / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, self.checkout / name)
        for name in ("lib/dpkg/updates", "lib/apt/lists/partial", "cache/apt/archives/partial"):
            (self.root / "var" / name).mkdir(parents=True)
        for name in ("usr/sbin", "etc/apt", "etc/postgresql-common"):
            (self.root / name).mkdir(parents=True)
        self.status.touch()
        self.policy = self.root / "usr/sbin/policy-rc.d"
        self.cluster = self.root / "etc/postgresql-common/createcluster.conf"
        self.kept = self.root / "var/lib/dynoscope-setup"
        self.commands.mkdir()
        for path in sorted(Path("/usr/bin").iterdir()) + sorted(Path("/bin").iterdir()):
            if not WITHHELD.fullmatch(path.name) and not (self.commands / path.name).is_symlink():
                (self.commands / path.name).symlink_to(path)

    @property
    def status(self) -> Path:
        return self.root / "var/lib/dpkg/status"

    def has_installed(self, packages: Iterable[str]) -> None:
        facts = "Status: install ok installed\nVersion: 1\nArchitecture: all\nMaintainer: m\n"
        self.status.write_text(
            "".join(f"Package: {name}\n{facts}Description: d\n\n" for name in packages)
        )

    def has_command(self, name: str, script: str) -> None:
        path = self.commands / name
        path.unlink(missing_ok=True)
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)

    def has_python(self) -> None:
        self.has_command("python3", f'exec {os.path.realpath(sys.executable)} "$@"')

    def has_sudo(self) -> None:
        self.has_command("sudo", '[ "$1" != -- ] || shift\nexec "$@"')

    def has_apt_without_a_mirror(self) -> None:
        (self.commands / "apt-get").symlink_to("/usr/bin/apt-get")
        (self.root / "etc/apt/sources.list").write_text(f"deb {CLOSED_PORT}/debian bookworm main\n")
        (self.root / "etc/apt/conf").write_text(
            f'Dir "{self.root}";\nDir::State::status "{self.status}";\nAPT::Sandbox::User "root";\n'
        )

    def environment(self) -> dict[str, str]:
        return {
            "PATH": str(self.commands),
            "HOME": str(self.checkout),
            "APT_CONFIG": str(self.root / "etc/apt/conf"),
            "DPKG_ADMINDIR": str(self.root / "var/lib/dpkg"),
            "DPKG_ROOT": str(self.root),
            "PIP_INDEX_URL": f"{CLOSED_PORT}/simple",
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_RETRIES": "0",
            "PIP_NO_CACHE_DIR": "1",
        }

    def sets_up(self, *words: str, user: int | None = None) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [".ci/setup", *words],
            cwd=self.checkout,
            env=self.environment(),
            user=user,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=300,
        )


def packages_needed() -> list[str]:
    found = re.search(r"^debian_packages=\((.*?)^\)", SETUP.read_text(), re.MULTILINE | re.DOTALL)
    assert found
    return re.sub(r"#.*", "", found[1]).split()


@pytest.fixture
def machine() -> Iterator[Machine]:
    """A machine with no package, no Python, no sudo and no apt, which any user may look into."""
    with TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        yield Machine(Path(folder))


@pytest.fixture
def ordinary_user() -> int | None:
    return NOBODY if os.geteuid() == 0 else None


def stopped_with(told: subprocess.CompletedProcess[str], sentence: str) -> None:
    """One sentence, the last on stderr, and exit status 2."""
    assert told.returncode == 2, told
    assert told.stderr.splitlines()[-1].startswith("setup: "), told
    assert sentence in told.stderr.splitlines()[-1], told
    assert "ready:" not in told.stdout


def test_a_user_without_sudo_is_told_what_to_ask_for(
    machine: Machine, ordinary_user: int | None
) -> None:
    told = machine.sets_up(user=ordinary_user)
    stopped_with(told, "not root and no sudo: ask an administrator for 'apt-get install python3")


def test_a_user_whom_sudo_refuses_is_told_what_to_ask_for(
    machine: Machine, ordinary_user: int | None
) -> None:
    machine.has_command("sudo", "echo 'you are not in the sudoers file' >&2; exit 1")
    told = machine.sets_up(user=ordinary_user)
    stopped_with(told, "sudo was refused: ask an administrator for 'apt-get install python3")


def test_a_machine_without_dpkg_is_named(machine: Machine) -> None:
    (machine.commands / "dpkg-query").unlink()
    stopped_with(machine.sets_up(), "this machine has no dpkg")


@pytest.mark.parametrize("before", [OWNERS_POLICY, None], ids=["own policy", "no policy"])
def test_an_unreachable_mirror_leaves_the_machine_as_it_was(
    machine: Machine, before: str | None
) -> None:
    machine.has_sudo()
    machine.has_apt_without_a_mirror()
    if before:
        machine.policy.write_text(before)
        machine.policy.chmod(0o750)
    told = machine.sets_up()
    stopped_with(told, "apt-get could not install postgresql-common")
    assert "the package list could not be renewed" in told.stdout
    assert "E: Unable to locate package postgresql-common" in told.stderr
    assert not machine.kept.exists()
    assert not (machine.checkout / ".venv").exists()
    assert machine.policy.exists() == bool(before)
    if before:
        assert machine.policy.read_text() == before
        assert machine.policy.stat().st_mode & 0o777 == 0o750


#: An apt-get that installs by writing dpkg's database, and shows what was forbidden meanwhile.
APT_INSTALLS = """
cd "$DPKG_ROOT"
installs() {
  printf 'Package: %s\\nStatus: install ok installed\\nVersion: 1\\n' "$1" >>var/lib/dpkg/status
  printf 'Architecture: all\\nMaintainer: m\\nDescription: d\\n\\n' >>var/lib/dpkg/status
  cat usr/sbin/policy-rc.d etc/postgresql-common/createcluster.conf >"during-$1" 2>/dev/null
}
[ "$1" = install ] || exit 0
for word; do
  case $word in
    postgresql-common) echo 'create_main_cluster = true' >etc/$word/createcluster.conf ;;
    redis-server) mkdir -p var/lib/dpkg/info
                  echo /etc/init.d/redis-server >var/lib/dpkg/info/redis-server.list ;;
  esac
  case $word in install | -* | DPkg*) ;; *) installs "$word" ;; esac
done
"""
RECORDS_DISABLED = 'echo "$*" >>"$DPKG_ROOT/disabled"'


def test_services_are_forbidden_while_packages_are_installed_and_disabled_after(
    machine: Machine,
) -> None:
    machine.has_installed(set(packages_needed()) - {"redis-server", "postgresql-15"})
    machine.has_sudo()
    machine.has_command("apt-get", APT_INSTALLS)
    machine.has_command("update-rc.d", RECORDS_DISABLED)
    machine.policy.write_text(OWNERS_POLICY)
    stopped_with(machine.sets_up(), "no Python 3.11 or later")
    during = (machine.root / "during-postgresql-15").read_text()
    assert "exit 101" in during
    assert "create_main_cluster = false" in during
    assert machine.policy.read_text() == OWNERS_POLICY
    assert machine.cluster.read_text() == "create_main_cluster = true\n"
    assert (machine.root / "disabled").read_text() == "redis-server disable\n"
    assert not machine.kept.exists()


def test_what_was_installed_before_apt_failed_is_disabled_too(machine: Machine) -> None:
    machine.has_installed(set(packages_needed()) - {"redis-server"})
    machine.has_sudo()
    machine.has_command("apt-get", f"{APT_INSTALLS}\n[ $1 != install ] || exit 100")
    machine.has_command("update-rc.d", RECORDS_DISABLED)
    stopped_with(machine.sets_up(), "apt-get could not install redis-server")
    assert (machine.root / "disabled").read_text() == "redis-server disable\n"


def test_a_run_that_was_killed_is_put_right_by_the_next_one(machine: Machine) -> None:
    machine.has_installed(packages_needed())
    machine.has_sudo()
    machine.has_command("apt-get", "exit 0")
    machine.has_command("update-rc.d", RECORDS_DISABLED)
    info = machine.root / "var/lib/dpkg/info"
    info.mkdir()
    (info / "redis-server.list").write_text("/etc/init.d/redis-server\n")
    machine.kept.mkdir()
    (machine.kept / "policy").write_text(OWNERS_POLICY)
    (machine.kept / "cluster").write_text("the owner's\n")
    before = sorted(set(packages_needed()) - {"redis-server"})
    (machine.kept / "installed").write_text("".join(f"{name}\n" for name in before))
    machine.policy.write_text("#!/bin/sh\nexit 101\n")
    machine.cluster.write_text("create_main_cluster = false\n")
    assert "putting right what a killed run left" in machine.sets_up().stdout
    assert machine.policy.read_text() == OWNERS_POLICY
    assert machine.cluster.read_text() == "the owner's\n"
    assert (machine.root / "disabled").read_text() == "redis-server disable\n"
    assert not machine.kept.exists()
    assert "Debian packages: all here" in machine.sets_up().stdout


def test_a_run_that_is_ended_puts_back_after_apt_and_not_beside_it(machine: Machine) -> None:
    machine.has_command(
        "apt-get",
        '[ "$1" = install ] || exit 0\n'
        'cd "$DPKG_ROOT"; touch started; until [ -e go_on ]; do sleep 0.05; done\n'
        "cat usr/sbin/policy-rc.d >at_the_end",
    )
    running = subprocess.Popen(
        [".ci/setup", "--install-debian", "memcached"],
        cwd=machine.checkout,
        env=machine.environment(),
    )
    deadline = time.monotonic() + 60
    while not (machine.root / "started").exists():
        assert running.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.02)
    running.send_signal(signal.SIGTERM)
    (machine.root / "go_on").touch()
    assert running.wait(60) == 128 + signal.SIGTERM
    assert "exit 101" in (machine.root / "at_the_end").read_text()
    assert not machine.policy.exists()
    assert not machine.kept.exists()


def test_an_unreachable_index_is_named_and_tried_again(machine: Machine) -> None:
    machine.has_installed(packages_needed())
    machine.has_python()
    first = machine.sets_up()
    stopped_with(first, "pip could not install the packages")
    assert "ERROR: Could not find a version" in first.stderr
    second = machine.sets_up()
    stopped_with(second, "pip could not install the packages")
    assert "making .venv" in first.stdout
    assert "making .venv" not in second.stdout


def test_a_half_made_environment_is_made_again(machine: Machine) -> None:
    machine.has_installed(packages_needed())
    machine.has_python()
    venv = machine.checkout / ".venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", venv], check=True, timeout=60)
    told = machine.sets_up()
    assert "making .venv" in told.stdout
    assert (
        subprocess.run([venv / "bin/python", "-m", "pip", "--version"], timeout=60).returncode == 0
    )


def test_an_environment_that_cannot_be_made_is_named(machine: Machine) -> None:
    machine.has_installed(packages_needed())
    machine.has_python()
    (machine.checkout / ".venv").write_text("in the way")
    stopped_with(machine.sets_up(), f"could not make {machine.checkout}/.venv")


def test_a_machine_without_python_is_told_where_it_is(machine: Machine) -> None:
    machine.has_installed(packages_needed())
    stopped_with(machine.sets_up(), "no Python 3.11 or later with its venv module was found: ")


def test_a_python_that_is_too_old_is_named(machine: Machine) -> None:
    machine.has_installed(packages_needed())
    machine.has_command("python3", "echo Python 3.9.2; exit 1")
    stopped_with(machine.sets_up(), f"({machine.commands}/python3 is Python 3.9.2)")


def test_an_unknown_word_is_refused(machine: Machine) -> None:
    stopped_with(machine.sets_up("everything"), "'everything' is not known")
