"""The application under elastic-apm: every request a transaction."""

import os

from django.core.wsgi import get_wsgi_application

from benchmarks.overhead.app import configure

configure(
    apps=["elasticapm.contrib.django"],
    middleware=["elasticapm.contrib.django.middleware.TracingMiddleware"],
    ELASTIC_APM={
        "SERVICE_NAME": "benchmark",
        "SERVER_URL": os.environ["BENCH_SINK"],
        "TRANSACTION_SAMPLE_RATE": 1.0,
        "CLOUD_PROVIDER": "none",  # do not look for a cloud around this machine
    },
)
application = get_wsgi_application()
