"""One Redis client a process, made at first use so that no connection is shared across a fork."""

from functools import cache

import redis
from django.conf import settings


@cache
def redis_client():
    """The process's client."""
    return redis.Redis.from_url(settings.REDIS_URL, decode_responses=True)
