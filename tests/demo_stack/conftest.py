"""The service on real servers, once for all tests that need it."""

import tempfile
from pathlib import Path

import pytest

from demo_stack.stack import Stack


@pytest.fixture(scope="session")
def stack():
    """Both hosts, the job worker and all their servers, without Dynoscope beside them."""
    with tempfile.TemporaryDirectory() as folder:
        # TemporaryDirectory is closed to others, as some checkouts are.
        stack = Stack(Path(folder) / "demo", say=print)
        stack.up(with_platform=False)
        try:
            yield stack
        finally:
            killed = stack.down()
            stack.remove()
        assert killed == ()
