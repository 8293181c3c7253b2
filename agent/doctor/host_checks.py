"""Checks of the machine: shared memory, ring folder, counters, ptrace, py-spy."""

import stat

from agent.doctor.facts import Facts
from agent.doctor.findings import Finding, failed, ok, warning

__all__ = ["containers", "counters", "ptrace", "py_spy", "ring_folder", "shared_memory"]

#: A worker's ring with the probe's default settings.
RING_BYTES = 6 << 20
#: Room that should be left for workers that start while others end.
SPARE_RINGS = 8
PERF_MEND = (
    "sysctl kernel.perf_event_paranoid=2 (keep it in /etc/sysctl.d), or"
    " AmbientCapabilities=CAP_PERFMON in the uWSGI unit; then restart the workers"
)


def shared_memory(facts: Facts) -> Finding:
    """The probe makes its rings in /dev/shm: there must be room, and users must be let in."""
    name, shm = "shared memory", facts.shm
    if shm.error:
        mend = "mount it: mount -t tmpfs -o size=256m,mode=1777 tmpfs /dev/shm"
        return failed(name, f"{shm.path} cannot be used: {shm.error}.", mend)
    ring_bytes = max((ring.bytes for ring in facts.rings), default=RING_BYTES)
    room = f"{_mb(shm.free_bytes)} of {_mb(shm.total_bytes)} are free in {shm.path}"
    grow = (
        "make it larger (mount -o remount,size=1g /dev/shm; shm_size of a container), or set"
        " DYNOSCOPE_RING_RECORDS lower"
    )
    if shm.free_bytes < ring_bytes:
        return failed(name, f"{room}, and a worker's ring takes {_mb(ring_bytes)}.", grow)
    if shm.free_bytes < SPARE_RINGS * ring_bytes:
        return warning(name, f"{room}: little, at {_mb(ring_bytes)} a worker.", grow)
    if shm.mode & 0o1777 != 0o1777:
        mode = f"{shm.path} has mode {shm.mode:04o}, so other users' workers may be kept out."
        return warning(name, mode, f"chmod 1777 {shm.path}")
    return ok(name, f"{room}.")


def ring_folder(facts: Facts) -> Finding:
    """Agent and workers must get into it, and nobody else."""
    name, folder = "ring folder", facts.ring_dir
    mend = (
        f"run the agent as the workers' user, or share the folder: install -d -m 2770 -g dynoscope"
        f" {folder.path}, and both users in the group dynoscope"
    )
    if folder.error:
        start = "start a worker with the probe; or name the workers' folder with --ring-dir"
        return warning(name, f"{folder.path}: {folder.error}.", start)
    if not folder.readable:
        says = f"{facts.kernel.user} may not read {folder.path} (mode {folder.mode:04o})."
        return failed(name, says, mend)
    if folder.mode & stat.S_IRWXO:
        says = f"{folder.path} has mode {folder.mode:04o}: every user may read or forge rings."
        return warning(name, says, f"chmod o-rwx {folder.path}")
    if not folder.writable:
        says = f"{folder.path} may be read only: rings of ended workers cannot be removed."
        return warning(name, says, mend)
    return ok(name, f"{folder.path} can be read and written (mode {folder.mode:04o}).")


def counters(facts: Facts) -> Finding:
    """Whether requests are counted in instructions; where not, why, and what would change it."""
    name, kernel = "counters", facts.kernel
    worse = [ring for ring in facts.rings if ring.unit != "instructions"]
    if facts.rings and not worse:
        return ok(name, f"All {len(facts.rings)} workers count instructions.")
    reasons = "; ".join(sorted({ring.unit_reason for ring in worse if ring.unit_reason}))
    told = f" (the workers say: {reasons})" if reasons else ""
    if "DYNOSCOPE_COUNTER" in reasons:
        mend = "unset DYNOSCOPE_COUNTER, or set it to auto, to count instructions where possible"
        return warning(name, f"CPU time is counted because it was asked for{told}.", mend)
    if not kernel.has_pmu:
        says = "This machine shows no hardware counters, so CPU time is counted instead"
        return warning(
            name,
            f"{says}{told}.",
            "nothing on this host: most virtual machines have none; whole-machine instances do",
        )
    level = kernel.perf_event_paranoid
    if level is not None and level > 2:
        says = f"kernel.perf_event_paranoid is {level}, which forbids users to count themselves"
        return warning(name, f"{says}{told}.", PERF_MEND)
    if worse:
        says = f"{len(worse)} workers count CPU time instead of instructions{told}."
        mend = "allow perf_event_open in the container's seccomp profile, and restart the workers"
        return warning(name, says, mend)
    return ok(name, f"kernel.perf_event_paranoid is {level}: workers may count instructions.")


def ptrace(facts: Facts) -> Finding:
    """Whether the agent may read the workers' stacks."""
    name, kernel = "ptrace", facts.kernel
    scope = kernel.ptrace_scope
    setting = "Yama is not in this kernel" if scope is None else f"ptrace_scope is {scope}"
    mend = (
        "give the agent CAP_SYS_PTRACE (AmbientCapabilities=CAP_SYS_PTRACE in its unit,"
        " capabilities: add: [SYS_PTRACE] in Kubernetes)"
    )
    kept_out = [ring for ring in facts.rings if ring.no_trace]
    if kept_out:
        says = f"{kernel.user} may not read the memory of {len(kept_out)} workers, so no stacks"
        return failed(name, f"{says}; {setting}.", mend)
    unseen = [ring for ring in facts.rings if ring.unreachable and not ring.inner_pid]
    if unseen:
        says = f"{len(unseen)} workers: {unseen[0].unreachable}."
        return warning(name, says, "run the agent in the host's pid namespace (hostPID: true)")
    if scope == 3:
        says = "kernel.yama.ptrace_scope is 3: nobody may read another process."
        return failed(name, says, "set it to 1 in /etc/sysctl.d and restart the machine")
    if kernel.may_ptrace:
        return ok(name, f"{kernel.user} has CAP_SYS_PTRACE.")
    if scope:
        return failed(name, f"{kernel.user} has no CAP_SYS_PTRACE, and {setting}.", mend)
    says = f"{kernel.user} may read its own processes only ({setting})."
    return ok(name, says)


def containers(facts: Facts) -> Finding:
    """Whether the agent may enter the pid namespaces of workers in containers."""
    name = "containers"
    inside = [ring for ring in facts.rings if ring.inner_pid]
    if not inside:
        return ok(name, "No worker that the agent sees is in another pid namespace.")
    kept_out = [ring for ring in inside if ring.unreachable]
    if not kept_out:
        return ok(name, f"{len(inside)} workers in other pid namespaces can be entered.")
    says = f"{len(kept_out)} workers: {kept_out[0].unreachable}."
    mend = (
        "the drop-in agent/service/containers.conf for its unit; in Kubernetes what"
        " agent/service/daemonset.yaml says of SYS_ADMIN"
    )
    return warning(name, says, mend)


def py_spy(facts: Facts) -> Finding:
    """Whether py-spy is there, and reads a worker."""
    name, tool = "py-spy", facts.py_spy
    if not tool.version:
        says = f"{tool.binary} does not run: {tool.failure}."
        return failed(name, says, "pip install py-spy beside dynoscope; the rest works without it")
    if tool.reading_failure:
        says = f"{tool.version} cannot read the worker {tool.pid}: {tool.reading_failure}."
        return failed(name, says, "see the check ptrace; py-spy must also know the worker's Python")
    if not tool.pid:
        return ok(name, f"{tool.version}; no worker to try it on.")
    return ok(name, f"{tool.version} reads the stacks of the worker {tool.pid}.")


def _mb(size: int) -> str:
    return f"{size / 1e6:,.0f} MB"
