"""Whether this user's agent may look into this user's workers; the story needs their stacks."""

import os
from pathlib import Path

from demo_stack.processes import DemoError

__all__ = ["check_ptrace"]

YAMA = Path("/proc/sys/kernel/yama/ptrace_scope")


def check_ptrace(euid: int | None = None, scope_file: Path = YAMA) -> None:
    """Raise one sentence where py-spy would be refused (Linux: kernel/yama, scope 1 and above)."""
    if (os.geteuid() if euid is None else euid) == 0 or not scope_file.exists():
        return
    scope = scope_file.read_text().strip()
    if scope != "0":
        raise DemoError(
            f"kernel.yama.ptrace_scope is {scope}, so only root may take stacks of the workers: "
            "run `sudo sysctl kernel.yama.ptrace_scope=0`, or start the demo as root"
        )
