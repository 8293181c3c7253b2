"""The service on real servers, once for all tests that need it."""

import os
import tempfile
from pathlib import Path

import pytest

from demo_stack.ports import PORTS
from demo_stack.stack import Stack

#: Apart from a demo that is started at the same moment, and from another run of the tests.
TEST_PORTS = {name: port + 12_000 + os.getpid() % 100 * 150 for name, port in PORTS.items()}


@pytest.fixture(scope="session")
def stack():
    """Both hosts, the job worker and all their servers, without Dynoscope beside them."""
    with tempfile.TemporaryDirectory() as folder:
        # TemporaryDirectory is closed to others, as some checkouts are.
        stack = Stack(Path(folder) / "demo", say=print, usual_ports=TEST_PORTS)
        try:
            stack.up(with_platform=False)
            yield stack
        finally:
            killed = stack.down()
            stack.remove()
        assert killed == ()
