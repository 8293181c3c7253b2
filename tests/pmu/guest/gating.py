"""The gate counts three versions of an application by the processor's own counter."""

import tempfile
from pathlib import Path

from alerting.gate.config import read_config
from alerting.gate.counter import counter_and_shim
from alerting.gate.measure import Bench
from alerting.gate.workshop import open_workshop

LAYOUTS = 2
SETTINGS = """
[app]
application = "shop:application"
[measure]
layouts = 2
warm_up = 8
rounds = 2
[[endpoint]]
name = "GET /items/"
[[endpoint.request]]
path = "/items/"
"""
SHOP = """
import json


def price(number):
    return number * 7919 % 1009


def application(environ, start_response):
    body = json.dumps({"items": [price(number) for number in range(300)]}).encode()
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]
"""
VERSIONS = {
    "base": SHOP,
    "neutral": SHOP.replace(
        "def price", "def unused(a):\n    return a\n\n\n# A remark.\ndef price"
    ),
    "dearer": SHOP.replace(
        "    return number", "    for _ in range(2):\n        pass\n    return number"
    ),
}


def gate():
    """{version: instructions of a request in each memory layout}, and the unit."""
    said = []
    with tempfile.TemporaryDirectory() as folder, open_workshop() as workshop:
        settings = Path(folder) / "gate.toml"
        settings.write_text(SETTINGS)
        counter, shim = counter_and_shim("auto", said.append)
        bench = Bench(read_config(settings), workshop, shim, counter, 1, said.append)
        found = {}
        for name, text in VERSIONS.items():
            (workshop.root / f"side-{name}").mkdir()
            (workshop.root / f"side-{name}/shop.py").write_text(text)
            bench.begin(name)
            bench.count(name, ["GET /items/"], range(LAYOUTS))
            side = bench.side(name, name)
            found[name] = list(side.counted[0].layouts)
    return {"counter": counter, "unit": side.unit, "versions": found, "said": said}
