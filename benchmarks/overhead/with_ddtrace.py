"""The application under ddtrace: every request a trace."""

import ddtrace.auto  # noqa: F401  # first: it patches what is imported after it
from django.core.wsgi import get_wsgi_application

from benchmarks.overhead.app import configure

configure()
application = get_wsgi_application()
