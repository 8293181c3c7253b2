"""The Celery application: work that a request does not wait for."""

import os

from celery import Celery

import dynoscope_probe.celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", f"{__package__}.settings")

app = Celery("photos", include=[f"{__package__}.tasks"])
app.config_from_object("django.conf:settings", namespace="CELERY")
app.conf.update(
    task_acks_late=True,
    task_ignore_result=True,
    task_serializer="json",
    accept_content=["json"],
    worker_prefetch_multiplier=1,
    broker_connection_retry_on_startup=True,
)
dynoscope_probe.celery.install(app)
