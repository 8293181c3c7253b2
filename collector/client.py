"""The read API's client: what the commands that ask are made of."""

import os
from pathlib import Path
from typing import Any

import httpx

__all__ = ["AskError", "ask", "default_data_dir", "post"]


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
    given = {name: value for name, value in parameters.items() if value}
    return _answer(url, token_file, "GET", question, timeout_s, params=given)


def post(
    url: str, token_file: Path, path: str, body: dict[str, Any], timeout_s: float = 60.0
) -> dict[str, Any]:
    """POST /v1/<path>; the whole answer. Raises AskError with one sentence."""
    return _answer(url, token_file, "POST", path, timeout_s, json=body)


def _answer(
    url: str, token_file: Path, method: str, path: str, timeout_s: float, **sent: Any
) -> dict[str, Any]:
    try:
        token = token_file.read_text().strip()
    except OSError as error:
        raise AskError(
            f"cannot read the token file {token_file} ({error.strerror}): "
            "name it with --token-file; `dynoscope serve` keeps it in its data folder"
        ) from error
    try:
        response = httpx.request(
            method,
            f"{url.rstrip('/')}/v1/{path}",
            headers={"Authorization": f"Bearer {token}"},
            timeout=timeout_s,
            **sent,
        )
    except httpx.HTTPError as error:
        raise AskError(
            f"nothing answers at {url} ({error}): is `dynoscope serve` running? --url names another"
        ) from error
    if not response.is_success:
        raise AskError(f"{url} answered {response.status_code}: {_reason(response)}")
    answer: dict[str, Any] = response.json()
    return answer


def _reason(response: httpx.Response) -> str:
    try:
        return str(response.json()["error"])
    except (ValueError, KeyError, TypeError):
        return response.text[:200]
