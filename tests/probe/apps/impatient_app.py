"""The plain application in a process that looks for a ring again at once."""

from dynoscope_probe import process

process.RETRY_NS = 0

from tests.probe.apps.plain_app import application  # noqa: E402, F401
