"""The application under OpenTelemetry: Django's instrumentation (which builds on WSGI's), every
request a span, exported over OTLP/HTTP in batches."""

import os

from django.core.wsgi import get_wsgi_application
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.django import DjangoInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from benchmarks.overhead.app import configure

configure()
provider = TracerProvider()
exporter = OTLPSpanExporter(endpoint=os.environ["BENCH_SINK"] + "/v1/traces")
provider.add_span_processor(BatchSpanProcessor(exporter))
trace.set_tracer_provider(provider)
DjangoInstrumentor().instrument()
application = get_wsgi_application()
