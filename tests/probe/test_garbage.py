import gc
import threading
import time

import dynoscope_probe
from dynoscope_probe import garbage
from tests.probe.reading import records_in
from tests.probe.test_middleware import call, respond


class Slow:
    """Takes 20 ms to be collected."""

    def __init__(self):
        self.itself = self

    def __del__(self):
        time.sleep(0.02)


def collecting(environ, start_response):
    if environ["PATH_INFO"] == "/collect":
        Slow()
        gc.collect()
    return respond(environ, start_response)


def test_a_collection_counts_to_its_request(ring_dir):
    application = dynoscope_probe.wsgi(collecting)
    gc.disable()
    try:
        for path in ("/", "/collect", "/"):
            call(application, path=path)
        Slow()
        gc.collect()  # outside a request
    finally:
        gc.enable()
    first, second, third = (record for _, record in records_in(ring_dir))
    assert first["gc_ns"] == third["gc_ns"] == 0
    assert 20e6 <= second["gc_ns"] < second["wall_ns"]


def test_a_collection_of_another_thread_does_not_count(ring_dir):
    def elsewhere(environ, start_response):
        thread = threading.Thread(target=lambda: (Slow(), gc.collect()))
        thread.start()
        thread.join()
        return respond(environ, start_response)

    gc.disable()
    try:
        call(dynoscope_probe.wsgi(elsewhere))
    finally:
        gc.enable()
    ((_, record),) = records_in(ring_dir)
    assert record["gc_ns"] == 0 and record["wall_ns"] > 20e6


def test_installing_twice_is_once():
    for _ in range(3):
        garbage.install()
    assert sum(hasattr(callback, "_dynoscope") for callback in gc.callbacks) == 1
