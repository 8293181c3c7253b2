"""Checks of the workers: their rings, what the probe was told, uWSGI's options."""

from collections import Counter

from agent.doctor.facts import Facts
from agent.doctor.findings import Finding, failed, ok, warning

__all__ = ["names", "rings", "settings", "uwsgi"]

SHOWN = 3


def rings(facts: Facts) -> Finding:
    """Whether there are workers, and all their rings can be read."""
    name, count = "rings", len(facts.rings)
    if facts.refused:
        shown = "; ".join(facts.refused[:SHOWN])
        says = f"{len(facts.refused)} rings cannot be read: {shown}."
        mend = "if the reason is permission, see the check ring folder; else update probe and agent"
        return failed(name, says, mend)
    if not count:
        mend = (
            "put the probe into the workers (two ini lines for uWSGI: py-call-osafterfork = true,"
            " import = dynoscope_probe.uwsgi) and send them a request"
        )
        return warning(name, f"No living worker has a ring in {facts.ring_dir.path}.", mend)
    unrecorded = sum(ring.requests_unrecorded for ring in facts.rings)
    if unrecorded:
        says = f"{count} workers have rings, but {unrecorded} requests came before they had one."
        return warning(name, says, "make room in /dev/shm, see the check shared memory")
    services = Counter(ring.service or "(no name)" for ring in facts.rings)
    listed = ", ".join(f"{service}: {number}" for service, number in sorted(services.items()))
    return ok(name, f"{count} living workers have rings ({listed}).")


def settings(facts: Facts) -> Finding:
    """Whether the probe ignored settings, or met faults of its own."""
    name = "probe settings"
    bad = [ring for ring in facts.rings if ring.bad_settings]
    if bad:
        says = f"{len(bad)} workers ignore {max(ring.bad_settings for ring in bad)} bad settings."
        mend = f"see DYNOSCOPE_* in /proc/{bad[0].pid}/environ, and the probe's README for ranges"
        return warning(name, says, mend)
    errors = sum(ring.probe_errors for ring in facts.rings)
    if errors:
        says = f"The probe met {errors} faults of its own; the requests were served all the same."
        return warning(name, says, "update dynoscope-probe; report it with the workers' Python")
    if not facts.rings:
        return ok(name, "No worker to look at.")
    return ok(name, "Every DYNOSCOPE_* value is understood.")


def names(facts: Facts) -> Finding:
    """Names that nobody chose: two services called `app` would be one."""
    name = "names"
    defaulted = {what for ring in facts.rings for what in ring.defaulted}
    if "service" in defaulted:
        taken = sorted({ring.service for ring in facts.rings if "service" in ring.defaulted})
        says = f"Nobody named the service: it is called {', '.join(taken)} after its folder."
        return warning(name, says, "set DYNOSCOPE_SERVICE in the workers' environment")
    if "release" in defaulted:
        says = "Workers know no release: what changed between releases cannot be said."
        mend = "set DYNOSCOPE_RELEASE, or run the workers in their git checkout"
        return warning(name, says, mend)
    if not facts.rings:
        return ok(name, "No worker to look at.")
    return ok(name, "Service and release are named.")


def uwsgi(facts: Facts) -> Finding:
    """Whether py-spy sees uWSGI's workers rightly, and the listen queue can be read."""
    name = "uwsgi"
    if not facts.masters:
        return ok(name, "No worker runs under uWSGI.")
    wrong = [master for master in facts.masters if master.sure and not master.after_fork]
    if wrong:
        where = ", ".join(sorted(master.ini or f"the command of {master.pid}" for master in wrong))
        says = f"{where} lacks py-call-osafterfork: py-spy would count waits as CPU, so no stacks."
        mend = f"add the line `py-call-osafterfork = true` to {where} and restart uWSGI"
        return failed(name, says, mend)
    unsure = [master for master in facts.masters if not master.sure]
    if unsure:
        says = f"The options of uWSGI {unsure[0].pid} cannot be read."
        return warning(name, says, "see that its ini has the line `py-call-osafterfork = true`")
    silent = [master for master in facts.masters if not master.stats]
    if silent:
        where = silent[0].ini or f"the command of {silent[0].pid}"
        says = f"{where} names no stats socket, so the listen queue is not known."
        return warning(name, says, f"add `stats = 127.0.0.1:1717` to {where}")
    return ok(name, f"{len(facts.masters)} uWSGI masters have py-call-osafterfork and stats.")
