"""Identity of a function from its code: `module:qualname`, as it stands in sampled stacks."""

from __future__ import annotations

import os
import re
from types import CodeType
from typing import Sequence, Union

__all__ = ["Names"]

_METHOD = re.compile(r"<method '([^']*)' of '([^']*)' objects>")
_BUILTIN = re.compile(r"<built-in method (.*?)(?: of type object at 0x[0-9a-f]+)?>")
_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")
#: Modules that are remembered; beyond that they are worked out each time.
FILES_MAX = 10_000


class Names:
    """Names functions by the process's sys.path as it was when its ring was made."""

    def __init__(self, sys_path: Sequence[str]) -> None:
        roots = {root.rstrip("/") for root in sys_path}
        self._roots = sorted(roots - {""}, key=len, reverse=True)
        self._modules: dict[str, str] = {}

    def of(self, code: Union[CodeType, str]) -> str:
        """Name of a code object, or of a C function as cProfile describes it."""
        if isinstance(code, str):
            return _native(code)
        module = self._modules.get(code.co_filename)
        if module is None:
            module = self._module(code.co_filename)
            if len(self._modules) < FILES_MAX:
                self._modules[code.co_filename] = module
        return "%s:%s" % (module, getattr(code, "co_qualname", code.co_name))

    def _module(self, file: str) -> str:
        """`shop.feed` of /srv/app/shop/feed.py; outside sys.path from its topmost package on."""
        if file.startswith("<"):
            return (file[len("<frozen ") :] if file.startswith("<frozen ") else file).strip("<>")
        root = next((root for root in self._roots if file.startswith(root + "/")), "")
        path = file[len(root or _above_package(file)) :].lstrip("/")
        module = path.rpartition(".")[0] or path
        if module.endswith("/__init__"):
            module = module[: -len("/__init__")]
        return module.replace("/", ".")


def _above_package(file: str) -> str:
    folder = file.rpartition("/")[0]
    while folder and os.path.exists(folder + "/__init__.py"):
        folder = folder.rpartition("/")[0]
    return folder


def _native(description: str) -> str:
    """`builtins:list.append`, `time:sleep`; an address in a description never gets into a name."""
    method = _METHOD.fullmatch(description)
    if method:
        owner = method[2] if "." in method[2] else "builtins." + method[2]
        module, _, kind = owner.rpartition(".")
        return "%s:%s.%s" % (module, kind, method[1])
    builtin = _BUILTIN.fullmatch(description)
    if builtin:
        module, _, name = builtin[1].rpartition(".")
        return "%s:%s" % (module or "builtins", name)
    plain = _ADDRESS.sub("", description).strip("<>")
    return "native:%s" % (plain[len("function ") :] if plain.startswith("function ") else plain)
