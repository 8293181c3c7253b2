"""What one request cost: per-request CPU counters for Python web workers, without dependencies.

application = dynoscope_probe.wsgi(application)
"""

from dynoscope_probe.api import flag, set_endpoint, set_user
from dynoscope_probe.middleware import wsgi

__all__ = ["flag", "set_endpoint", "set_user", "wsgi"]
