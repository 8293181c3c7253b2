"""A Celery application over a broker of files, or over BROKER_URL."""

import os
from pathlib import Path

from celery import Celery

import dynoscope_probe.celery

_FOLDER = Path(os.environ["BROKER_DIR"])

_FILES = {
    "data_folder_in": str(_FOLDER / "messages"),
    "data_folder_out": str(_FOLDER / "messages"),
    "polling_interval": 0.05,
    "control_folder": str(_FOLDER / "control"),
}

app = Celery("tasks", broker=os.environ.get("BROKER_URL", "filesystem://"))
app.conf.update(
    broker_transport_options={} if "BROKER_URL" in os.environ else _FILES,
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


@app.task(name="feed.chain")
def chain():
    app.send_task("feed.fan_out", (0.0,))
