"""An ASGI application that asks stores by their asynchronous clients, several at a time."""

import asyncio
import os

import redis.asyncio

import dynoscope_probe


async def ask_redis():
    async with redis.asyncio.Redis(port=int(os.environ["REDIS_PORT"])) as client:
        await client.set("secret:key", "value")
        found = await asyncio.gather(*(client.get("secret:key") for _ in range(3)))
        async with client.pipeline() as pipeline:
            found += (await pipeline.set("a", 1).get("a").execute())[1:]
        try:
            await client.execute_command("no-such-command")
        except redis.ResponseError:
            found.append(b"refused")
        return found


async def plain(scope, receive, send):
    found = await ask_redis()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b" ".join(found)})


application = dynoscope_probe.asgi(plain)
