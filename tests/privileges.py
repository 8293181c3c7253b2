"""What only root may do on a machine; the checks of main run as root, so nothing stays untested."""

import os

import pytest

__all__ = ["needs_root"]

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may do this: run it as root")
