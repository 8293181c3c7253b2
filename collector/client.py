"""The read API's client: what the commands that ask are made of."""

import os
from pathlib import Path
from typing import Any

import httpx

__all__ = ["AskError", "ask", "default_data_dir"]


class AskError(Exception):
    """A question could not be answered; the message says why and what to do."""


def default_data_dir() -> Path:
    """/var/lib/dynoscope for root, ~/.local/share/dynoscope for everyone else."""
    if os.geteuid() == 0:
        return Path("/var/lib/dynoscope")
    return Path.home() / ".local/share/dynoscope"


def ask(
    url: str, token_file: Path, question: str, parameters: dict[str, str], timeout_s: float = 60.0
) -> dict[str, Any]:
    """GET /v1/<question>; the whole answer. Raises AskError with one sentence."""
    try:
        token = token_file.read_text().strip()
    except OSError as error:
        raise AskError(
            f"cannot read the token file {token_file} ({error.strerror}): "
            "name it with --token-file; `dynoscope serve` keeps it in its data folder"
        ) from error
    given = {name: value for name, value in parameters.items() if value}
    try:
        response = httpx.get(
            f"{url.rstrip('/')}/v1/{question}",
            params=given,
            headers={"Authorization": f"Bearer {token}"},
            timeout=timeout_s,
        )
    except httpx.HTTPError as error:
        raise AskError(
            f"nothing answers at {url} ({error}): is `dynoscope serve` running? --url names another"
        ) from error
    if response.status_code != 200:
        raise AskError(f"{url} answered {response.status_code}: {_reason(response)}")
    answer: dict[str, Any] = response.json()
    return answer


def _reason(response: httpx.Response) -> str:
    try:
        return str(response.json()["error"])
    except (ValueError, KeyError, TypeError):
        return response.text[:200]
