"""A Flask application."""

from flask import Flask

app = Flask(__name__)


@app.get("/users/<int:user_id>")
def user(user_id):
    return f"user {user_id}"


@app.get("/broken")
def broken():
    raise KeyError("missing")


def create_app():
    return app


application = app
