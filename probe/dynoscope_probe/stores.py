"""Redis and Memcached clients: one call is one cache call, named by its command."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from dynoscope_probe.calls import bounded_name, timed_async_cache_call, timed_cache_call
from dynoscope_probe.imports import when_imported
from dynoscope_probe.request import Request

__all__ = ["install"]

MEMCACHE_METHODS = (
    "add", "append", "cas", "decr", "delete", "delete_many", "delete_multi", "flush_all", "gat",
    "gats", "get", "get_many", "get_multi", "gets", "gets_many", "incr", "prepend", "replace",
    "set", "set_many", "set_multi", "touch",
)  # fmt: skip
COMMAND_CHARACTERS_MAX = 32


def install() -> None:
    """Hook into the clients of this process as soon as they are imported."""
    when_imported("redis.client", _hook_redis)
    when_imported("redis.asyncio.client", _hook_async_redis)
    when_imported("pymemcache.client.base", _hook_pymemcache)


def _hook_redis(module: ModuleType) -> None:
    redis: Any = module.Redis
    if not hasattr(redis.execute_command, "_dynoscope"):
        redis.execute_command = timed_cache_call(redis.execute_command, "", _redis_name)
        pipeline: Any = module.Pipeline
        pipeline.execute = timed_cache_call(pipeline.execute, "redis pipeline")


def _hook_async_redis(module: ModuleType) -> None:
    redis: Any = module.Redis
    if not hasattr(redis.execute_command, "_dynoscope"):
        redis.execute_command = timed_async_cache_call(redis.execute_command, "", _redis_name)
        pipeline: Any = module.Pipeline
        pipeline.execute = timed_async_cache_call(pipeline.execute, "redis pipeline")


def _redis_name(request: Request, _: Any, command: Any = "", *__: Any) -> str:
    """`redis GET`: the first word of the command, whose arguments may stand in it, too."""
    if not isinstance(command, str):
        command = command.decode("latin-1") if isinstance(command, bytes) else ""
    word = command.split(" ", 1)[0] if " " in command else command
    name = request.process.call_names.get(word)
    if name is None:
        plain = word.isascii() and word.replace(".", "").replace("_", "").isalnum()
        short = plain and len(word) <= COMMAND_CHARACTERS_MAX
        shown = word.upper() if short else "(command)"
        name = bounded_name(request, word, "redis %s" % shown)
    return name


def _hook_pymemcache(module: ModuleType) -> None:
    client: Any = module.Client
    for method in MEMCACHE_METHODS:
        original = vars(client).get(method)
        if original is not None and not hasattr(original, "_dynoscope"):
            setattr(client, method, timed_cache_call(original, "memcached %s" % method))
