"""A worker that writes one record a line of input; prints `ready`, then `<ring id> <seq>` a record.

Arguments: ring folder, records in the ring. `begin` starts a request that never ends.
"""

import sys
import time
from pathlib import Path

from tests.agent.rings import begin, make_ring, write

ring = make_ring(Path(sys.argv[1]), records=int(sys.argv[2]))
print("ready", flush=True)
written = 0
for line in sys.stdin:
    if line.startswith("begin"):
        begin(ring, "GET /slow", time.time_ns())
    else:
        write(ring, int(line))
        written += int(line)
    print(ring.ring_id, written, flush=True)
