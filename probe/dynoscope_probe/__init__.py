"""What one request cost: per-request CPU counters for Python web workers, without dependencies.

application = dynoscope_probe.wsgi(application)    # or dynoscope_probe.asgi(application)
"""

from dynoscope_probe.api import flag, set_endpoint, set_user
from dynoscope_probe.asgi_middleware import asgi
from dynoscope_probe.middleware import wsgi

__all__ = ["asgi", "flag", "set_endpoint", "set_user", "wsgi"]
