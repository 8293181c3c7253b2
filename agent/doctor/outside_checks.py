"""Checks of the way out: collector, token, clock, spool."""

from agent.doctor.facts import Facts
from agent.doctor.findings import Finding, failed, ok, warning

__all__ = ["clock", "collector", "spool", "token"]

#: The Date header has whole seconds.
CLOCK_WARNING_S = 2.0
CLOCK_FAILED_S = 60.0
#: The spool's own bound.
SPOOL_BYTES = 512 << 20
OLD_S = 60.0
SILENT_S = 60.0


def collector(facts: Facts) -> Finding:
    """Whether it answers."""
    name, told = "collector", facts.collector
    if told.error:
        mend = "see that `dynoscope serve` runs there and the way is open; --url names another"
        return failed(name, f"Nothing answers at {told.url}: {told.error}.", mend)
    if told.status != 200:
        says = f"{told.url} answers {told.status}."
        mend = "see the log of `dynoscope serve`; is the address that of a collector?"
        return failed(name, says, mend)
    return ok(name, f"{told.url} answers and is ready.")


def token(facts: Facts) -> Finding:
    """Whether the collector takes batches with the agent's token."""
    name, told = "token", facts.collector
    where = "copy ingest.token out of the collector's data folder (mode 0600, the agent's user)"
    if told.token_error:
        return failed(name, f"{told.token_file}: {told.token_error}.", where)
    if not told.token_status:
        return warning(name, "It could not be tried.", "mend the check collector first")
    if told.token_status in (401, 403):
        what = "no token was sent" if not told.token_file else f"it refuses {told.token_file}"
        says = f"The collector answers {told.token_status}: {what}."
        return failed(name, says, f"{where} and name it with --token-file")
    return ok(name, "The collector takes it.")


def clock(facts: Facts) -> Finding:
    """Times of requests are this host's: they must agree with the collector's."""
    name, ahead_s = "clock", facts.collector.ahead_s
    if ahead_s is None:
        return warning(name, "It could not be compared.", "mend the check collector first")
    says = f"This host's clock is {abs(ahead_s):.0f} s {'ahead of' if ahead_s > 0 else 'behind'}"
    mend = "start a time service (chrony or systemd-timesyncd) on both"
    if abs(ahead_s) > CLOCK_FAILED_S:
        return failed(name, f"{says} the collector's: requests land in wrong minutes.", mend)
    if abs(ahead_s) > CLOCK_WARNING_S:
        return warning(name, f"{says} the collector's.", mend)
    return ok(name, "It agrees with the collector's within 2 s.")


def spool(facts: Facts) -> Finding:
    """What waits to be sent, whether there is room for it, whether an agent runs."""
    name, told = "spool", facts.spool
    folder = told.folder
    if not told.agent_pid:
        says = f"No agent has run with {folder.path}{': ' if folder.error else ''}{folder.error}."
        return warning(name, says, "start `dynoscope agent run`, or name its folder with --spool")
    if not told.agent_lives or told.silent_s > SILENT_S:
        says = f"The agent of {folder.path} has been silent for {told.silent_s:.0f} s."
        return failed(name, says, "start `dynoscope agent run` again, and look into its log")
    if told.rejected:
        says = f"The collector refused {told.rejected} batches: {folder.path}/rejected has why."
        return warning(name, says, "update agent and collector to the same version")
    if told.oldest_s > OLD_S:
        says = f"{told.waiting_files} files have been waiting for up to {told.oldest_s:.0f} s"
        return warning(name, f"{says}: {told.last_error or 'no reason known'}.", "see collector")
    if folder.free_bytes < SPOOL_BYTES:
        says = f"{folder.free_bytes / 1e6:,.0f} MB are free for {folder.path}; it may need 512."
        return warning(name, says, "make room, or name another folder with --spool")
    return ok(name, f"The agent {told.agent_pid} runs; {told.waiting_files} files wait.")
