"""A Flask application whose functions make a known number of calls."""

import flask

app = flask.Flask(__name__)
TINY_CALLS = 2_000
LENGTHS = 500


def tiny(number):
    return number + 1


def many_tiny():
    total = 0
    for _ in range(TINY_CALLS):
        total = tiny(total)
    return total


def lengths():
    return sum(len(word) for word in ["word"] * LENGTHS)


def plain_loop():
    total = 0
    for number in range(30_000):
        total += number * number & 7
    return total


@app.get("/work/<int:number>")
def work(number):
    return {"sum": many_tiny() + lengths() + plain_loop() + number}


@app.get("/idle")
def idle():
    return "idle"
