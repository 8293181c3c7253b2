"""A worker under steady load: computes and writes records until its input ends.

Arguments: ring folder, records in the ring. Prints `ready`, at the end `<ring id> <last seq>`.
"""

import select
import sys
import time
from pathlib import Path

from tests.agent.rings import make_ring, write


def compute(seconds):
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        for _ in range(100):
            pass


def trampoline(call, seconds):
    call(seconds)


trampoline.__code__ = trampoline.__code__.replace(
    co_name="GET /feed", co_qualname="GET /feed", co_filename="<endpoint>"
)

ring = make_ring(
    Path(sys.argv[1]), records=int(sys.argv[2]), sys_path="\n".join(path for path in sys.path)
)
print("ready", flush=True)
written = 0
while not select.select([sys.stdin], [], [], 0)[0]:
    trampoline(compute, 0.001)
    write(ring, 5)
    written += 5
    time.sleep(0.004)
print(ring.ring_id, written, flush=True)
