"""Runs inside the application's own interpreter: standard library only, Python 3.9 and later."""
