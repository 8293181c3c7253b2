"""The application as it is; also what Dynoscope wraps, without a change to it."""

from django.core.wsgi import get_wsgi_application

from benchmarks.overhead.app import configure

configure()
application = get_wsgi_application()
