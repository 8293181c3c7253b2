"""The application under sentry-sdk: every request a transaction."""

import os

import sentry_sdk
from django.core.wsgi import get_wsgi_application

from benchmarks.overhead.app import configure

sentry_sdk.init(
    dsn=os.environ["BENCH_SINK"].replace("http://", "http://key@") + "/1",
    traces_sample_rate=1.0,
)
configure()
application = get_wsgi_application()
