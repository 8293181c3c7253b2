"""OpenFeature: every flag that is evaluated within a request is noted on it.

openfeature.api.add_hooks([dynoscope_probe.openfeature.FlagHook()])
"""

from __future__ import annotations

from hashlib import blake2b
from typing import Any

from openfeature.hook import Hook

from dynoscope_probe import guard
from dynoscope_probe.api import note_flag

__all__ = ["FlagHook"]


class FlagHook(Hook):
    """Notes `flag=variant`; where the provider names no variant, the value.

    Of a value with parts (a list, an object) only a hash is kept: it may hold anything.
    """

    def finally_after(self, hook_context: Any, details: Any, hints: Any) -> None:
        """Also after an error, when the default is what the request ran with."""
        try:
            variant, value = details.variant, details.value
            if variant is None and not isinstance(value, (str, bool, int, float)):
                digest = blake2b(repr(value).encode("utf-8", "replace"), digest_size=4)
                variant = "(%s %s)" % (type(value).__name__, digest.hexdigest())
            note_flag(details.flag_key, value if variant is None else variant)
        except Exception:
            guard.swallowed()
