"""Where a server's program is."""

import shutil

from demo_stack.processes import DemoError

__all__ = ["installed"]

#: Where servers live that an ordinary user's PATH leaves out.
SYSTEM = "/usr/local/sbin:/usr/sbin:/sbin"


def installed(program: str) -> str:
    """The full path of a program, or a sentence that says what to do."""
    found = shutil.which(program) or shutil.which(program, path=SYSTEM)
    if found is None:
        raise DemoError(f"{program} is not installed: run `make setup`")
    return found
