"""A first gate.toml from what production sees."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["proposed_config"]

_PLACE = re.compile(r"<[^>]*>")
#: RFC 9110's, whose endpoints are one URL each.
_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


def proposed_config(rows: Sequence[Mapping[str, Any]], share: float) -> str:
    """gate.toml for the dearest endpoints with `share` of the CPU; rows of GET /v1/endpoints.

    Production keeps route templates, never paths or bodies: what is to be filled in says so.
    """
    lines = [
        "# Proposed from production by `dynoscope gate record`: dearest first.",
        "# Production keeps route templates, no paths or bodies: complete what is marked FILL IN.",
        "[app]",
        'application = "FILL IN: package.module:application"',
    ]
    reached, left = 0.0, []
    for row in rows:
        name = str(row["endpoint"])
        method, _, template = name.partition(" ")
        if row["kind"] != "http" or method not in _METHODS or not template.startswith("/"):
            left.append(name)
            continue
        if reached >= share:
            break
        reached += float(row["cost_share"])
        lines += ["", *_endpoint(name, method, template, row)]
    if left:
        lines += ["", "# Not one request each, so left out: " + ", ".join(left)]
    return "\n".join(lines) + "\n"


def _endpoint(name: str, method: str, template: str, row: Mapping[str, Any]) -> list[str]:
    lines = [
        f"# {float(row['cost_share']):.1%} of the CPU, {int(row['requests'])} requests,"
        f" {float(row['cost']):,.0f} {row['cost_unit']} each",
        "[[endpoint]]",
        f"name = {_quoted(name)}",
        "[[endpoint.request]]",
    ]
    places = _PLACE.findall(template)
    remark = f"  # FILL IN: {' '.join(places)}" if places else ""
    lines.append(f"path = {_quoted(template)}{remark}")
    if method in ("POST", "PUT", "PATCH"):
        lines.append('body = ""  # FILL IN')
    return lines


def _quoted(text: str) -> str:
    """A TOML basic string."""
    escaped = "".join(
        f"\\u{ord(letter):04x}" if ord(letter) < 32 or letter in '"\\\x7f' else letter
        for letter in text
    )
    return f'"{escaped}"'
