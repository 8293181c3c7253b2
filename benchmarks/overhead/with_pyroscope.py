"""The application with pyroscope-io in every worker, as its documentation sets it up."""

import os

import pyroscope
from uwsgidecorators import postfork

from benchmarks.overhead.bare import application

__all__ = ["application"]


@postfork
def _start() -> None:
    pyroscope.configure(
        application_name="bench", server_address=os.environ["BENCH_SINK"], sample_rate=100
    )
