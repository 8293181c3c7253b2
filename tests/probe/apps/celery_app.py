"""A Celery application over a broker of files."""

import os
from pathlib import Path

from celery import Celery

import dynoscope_probe.celery

_FOLDER = Path(os.environ["BROKER_DIR"])

app = Celery("tasks", broker="filesystem://")
app.conf.update(
    broker_transport_options={
        "data_folder_in": str(_FOLDER / "messages"),
        "data_folder_out": str(_FOLDER / "messages"),
        "polling_interval": 0.05,
        "control_folder": str(_FOLDER / "control"),
    },
    task_ignore_result=True,
    worker_hijack_root_logger=False,
)
dynoscope_probe.celery.install(app)


@app.task(name="feed.fan_out")
def fan_out(seconds):
    from tests.probe.apps.plain_app import busy

    busy(seconds)


@app.task(name="feed.broken")
def broken():
    raise ValueError("broken")


@app.task(name="feed.again", bind=True, max_retries=1, default_retry_delay=0)
def again(self):
    if self.request.retries == 0:
        raise self.retry(countdown=0)
