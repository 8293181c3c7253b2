"""A gevent server: two requests at a time in one thread. `patched` as its argument patches."""

import sys

if "patched" in sys.argv:
    from gevent import monkey

    monkey.patch_all()

import gevent  # noqa: E402
from gevent.pywsgi import WSGIServer  # noqa: E402

import dynoscope_probe  # noqa: E402
from dynoscope_probe.request import current_request  # noqa: E402
from tests.probe.apps.plain_app import busy  # noqa: E402

waiting = []


def application(environ, start_response):
    """Answers once two requests are here."""
    with dynoscope_probe.flag("who", environ["PATH_INFO"]):
        waiting.append(environ)
        while len(waiting) < 2:
            gevent.sleep(0.01)
    busy(0.02)
    gevent.sleep(0)
    start_response("200 OK", [])
    return [repr(current_request().flags).encode()]


if __name__ == "__main__":
    address = ("127.0.0.1", int(sys.argv[1]))
    WSGIServer(address, dynoscope_probe.wsgi(application), log=None).serve_forever()
