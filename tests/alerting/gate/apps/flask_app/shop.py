"""A small Flask application to gate."""

import json

from catalogue import cheapest, prices  # type: ignore[import-not-found]
from flask import Flask, request

application = Flask(__name__)


@application.get("/items/")
def items():
    return {"items": prices(40)}


@application.get("/items/<int:number>/")
def item(number):
    return {"number": number, "best": cheapest(number)}


@application.post("/orders/")
def orders():
    wanted = json.loads(request.get_data())
    return {"total": sum(wanted["prices"])}, 201
