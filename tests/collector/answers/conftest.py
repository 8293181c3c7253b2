"""These tests run over each engine."""

from tests.collector.engines import store

__all__ = ["store"]
