"""A feed whose dependency is slow for as long as the file SLOW_FILE is there."""

import os
import time

import flask

app = flask.Flask(__name__)
FAST_S, SLOW_S = 0.01, 0.4


@app.get("/feed/<int:user>/")
def feed(user: int) -> str:
    time.sleep(SLOW_S if os.path.exists(os.environ["SLOW_FILE"]) else FAST_S)
    return f"feed of {user}"
