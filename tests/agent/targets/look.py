"""Looks at the rings of a folder, a line of input a look: prints what it sees of each."""

import json
import sys
import time
from pathlib import Path

from agent.workers import Workers

workers = Workers(Path(sys.argv[1]), Path("/proc"))
print("ready", flush=True)
for _ in sys.stdin:
    workers.look(time.time_ns())
    seen = [[one.alive, one.pid, one.unreachable] for one in workers.known.values()]
    print(json.dumps(seen), flush=True)
