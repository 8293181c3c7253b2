"""A small emulated arm64 machine whose processor has a performance-monitoring unit.

Most cloud machines have no hardware counters. QEMU's arm64 emulation has them, and with a fixed
clock (`-icount`) they count the same program the same every time. The guest is a Debian kernel,
CPython with its standard library, and busybox; it has no network and no pip.

    python -m tests.pmu.machine      fetch what it is made of; later runs take it from the cache
"""

import compileall
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from py_compile import PycInvalidationMode

__all__ = ["MachineError", "cache_folder", "compile_for_guest", "prepare", "run"]

#: Debian packages of the host; `.ci/setup pmu` installs them.
HOST_COMMANDS = ("qemu-system-aarch64", "cpio", "apt-get", "apt-cache", "dpkg")
GUEST_PACKAGES = (
    "busybox-static", "python3.11-minimal", "libpython3.11-minimal", "libpython3.11-stdlib",
    "libc6", "libexpat1", "zlib1g", "libgcc-s1", "libcrypt1", "libffi8", "libssl3", "libbz2-1.0",
    "liblzma5", "libuuid1",
)  # fmt: skip
KERNEL = "linux-image-arm64"
#: Nothing of these is read in the guest; every megabyte is unpacked at each boot.
LEFT_OUT = ("usr/share/doc", "usr/share/locale", "usr/share/man", "usr/share/lintian")
INIT = """#!/bin/busybox sh
b=/bin/busybox
$b mount -t proc proc /proc; $b mount -t sysfs sys /sys; $b mount -t devtmpfs dev /dev
$b mkdir -p /dev/shm; $b mount -t tmpfs tmpfs /dev/shm; $b mount -t tmpfs tmpfs /tmp
$b chmod 1777 /tmp /dev/shm; $b --install -s /bin 2>/dev/null; $b ip link set lo up
export HOME=/root PATH=/usr/bin:/bin PYTHONDONTWRITEBYTECODE=1
cd /guest; $b sh -c "$($b cat /guest/command)"; echo "exit status: $?"
$b poweroff -f
"""
QEMU = (
    "qemu-system-aarch64", "-M", "virt", "-cpu", "max,pmu=on", "-m", "1024", "-smp", "1",
    "-icount", "shift=1", "-nic", "none", "-nographic", "-no-reboot",
    "-append", "console=ttyAMA0 quiet panic=1",
)  # fmt: skip
EXIT_STATUS = "exit status: "
#: The guest's Python, and what of its library is compiled here rather than there, a hundred times
#: slower.
GUEST_PYTHON = (3, 11)
COMPILED = (
    ".", "collections", "ctypes", "email", "encodings", "http", "importlib", "json", "re", "urllib",
    "wsgiref",
)  # fmt: skip


class MachineError(Exception):
    """The machine cannot be had or did not come to its end: one sentence."""


def cache_folder() -> Path:
    """Where the machine's files are kept."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "dynoscope-pmu"


def prepare(cache: Path, say: Callable[[str], None]) -> None:
    """Fetch kernel and guest system, unless the cache has them as this file wants them."""
    missing = [name for name in HOST_COMMANDS if not shutil.which(name)]
    if missing:
        raise MachineError(f"{', '.join(missing)} is missing: run `.ci/setup pmu` on Debian 12")
    recipe = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()
    stamp = cache / "recipe"
    if stamp.exists() and stamp.read_text() == recipe:
        say("emulated machine: in the cache")
        return
    shutil.rmtree(cache, ignore_errors=True)
    for part in ("lists/partial", "archives/partial", "kernel", "debs", "root"):
        (cache / part).mkdir(parents=True)
    say("emulated machine: reading the arm64 package lists")
    _command(_apt(cache, "apt-get", "update"), cache)
    kernel = _kernel_package(cache)
    say(f"emulated machine: fetching {kernel} (about 70 MB)")
    _fetch(cache, "kernel", [kernel])
    say(f"emulated machine: fetching {len(GUEST_PACKAGES)} guest packages (about 12 MB)")
    _fetch(cache, "debs", GUEST_PACKAGES)
    say("emulated machine: unpacking")
    _build(cache)
    for part in ("lists", "archives", "kernel", "debs", "root"):
        shutil.rmtree(cache / part)
    stamp.write_text(recipe)


def run(cache: Path, folder: Path, command: str, seconds: int) -> Iterator[str]:
    """Boot, run a shell command in a copy of folder/guest, yield the lines that it prints.

    Raises MachineError where it fails or the time is up; what the guest said last is in it.
    """
    (folder / "guest" / "command").write_text(command + "\n")
    image = folder / "initrd"
    # The kernel unpacks archives that follow each other into one tree.
    shutil.copy(cache / "root.cpio", image)
    with image.open("ab") as archive:
        _command(["sh", "-c", "find guest | cpio -o -H newc --quiet -R 0:0"], folder, archive)
    argv = ["timeout", str(seconds), *QEMU, "-kernel", f"{cache}/vmlinuz", "-initrd", str(image)]
    last: list[str] = []
    with subprocess.Popen(
        argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        errors="replace",
    ) as machine:  # fmt: skip
        assert machine.stdout is not None
        try:
            for line in map(str.strip, machine.stdout):
                last = [*last[-20:], line]
                if line.startswith(EXIT_STATUS):
                    break
                yield line
        finally:
            machine.terminate()
    if last[-1:] != [f"{EXIT_STATUS}0"]:
        said = "\n".join(last)
        raise MachineError(
            f"the emulated machine failed or took over {seconds} s; it said:\n{said}"
        )


def compile_for_guest(*folders: Path) -> None:
    """Compile the Python files in these folders, if this Python's code is the guest's."""
    if sys.version_info[:2] == GUEST_PYTHON:
        for folder in folders:
            compileall.compile_dir(
                folder, maxlevels=0, quiet=2, invalidation_mode=PycInvalidationMode.UNCHECKED_HASH
            )


def _kernel_package(cache: Path) -> str:
    """The package that KERNEL stands for."""
    try:
        text = _command(_apt(cache, "apt-cache", "depends", KERNEL), cache)
        return next(line.split()[-1] for line in text.splitlines() if "Depends:" in line)
    except (MachineError, StopIteration) as error:
        raise MachineError(
            f"apt finds no {KERNEL}: is there a network, and are apt's sources Debian 12's?"
        ) from error


def _fetch(cache: Path, part: str, packages: tuple[str, ...] | list[str]) -> None:
    _command(_apt(cache, "apt-get", "download", *packages), cache / part)


def _apt(cache: Path, *command: str) -> list[str]:
    """apt for arm64 with lists of its own: nothing of the host's package state changes."""
    options = (
        "APT::Architecture=arm64",
        "APT::Architectures=arm64",
        f"Dir::State::Lists={cache}/lists",
        f"Dir::Cache={cache}",
        "APT::Sandbox::User=root",
        "Acquire::Retries=3",
    )
    return [command[0], "-q", *(f"-o{one}" for one in options), *command[1:]]


def _build(cache: Path) -> None:
    """The kernel, and the guest's tree as one archive that is quick to unpack."""
    root = cache / "root"
    for package in (cache / "debs").glob("*.deb"):
        _command(["dpkg", "-x", str(package), str(root)], cache)
    for package in (cache / "kernel").glob("*.deb"):
        unpack = "dpkg --fsys-tarfile \"$1\" | tar -x --wildcards './boot/vmlinuz-*'"
        _command(["sh", "-c", unpack, "sh", str(package)], cache / "kernel")
    (kernel,) = (cache / "kernel" / "boot").glob("vmlinuz-*")
    kernel.rename(cache / "vmlinuz")
    for part in LEFT_OUT:
        shutil.rmtree(root / part, ignore_errors=True)
    for part in ("proc", "sys", "dev", "tmp", "run", "root"):
        (root / part).mkdir(exist_ok=True)
    library = root / "usr/lib/python3.11"
    compile_for_guest(*(library / part for part in COMPILED))
    (root / "usr/bin/python3").symlink_to("python3.11")
    (root / "init").write_text(INIT)
    (root / "init").chmod(0o755)
    with (cache / "root.cpio").open("wb") as archive:
        _command(["sh", "-c", "find . | cpio -o -H newc --quiet -R 0:0"], root, archive)


def _command(argv: list[str], folder: Path, output: int | object = subprocess.PIPE) -> str:
    done = subprocess.run(argv, cwd=folder, stdout=output, stderr=subprocess.PIPE, text=True)
    if done.returncode:
        said = done.stderr.strip().splitlines() or ["nothing"]
        raise MachineError(f"`{' '.join(argv[:2])} ... {argv[-1]}` failed and said: {said[-1]}")
    return done.stdout or ""


if __name__ == "__main__":
    try:
        prepare(cache_folder(), print)
    except MachineError as error:
        sys.exit(f"test-pmu: {error}")
