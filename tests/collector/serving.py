"""A collector in a process of its own: `python -m tests.collector.serving DATA` prints its port.

`... DATA PORT` takes that port (0: any) and the real time; without it the clock stands still.
CLICKHOUSE in the environment is the address of a server to store in, instead of DATA.
"""

import os
import sys
import time
from pathlib import Path

import waitress

from collector.app import create_app
from collector.store.store import open_store
from collector.threads import Threads
from collector.tokens import load_or_make_tokens
from dynoscope import THREADS
from tests.collector.rows import START_MS


def main() -> None:
    data_dir = Path(sys.argv[1])
    tokens = load_or_make_tokens(data_dir)
    port = int(sys.argv[2]) if len(sys.argv) > 2 else None
    clock = time.time if port is not None else lambda: START_MS / 1000 + 3600
    app = create_app(open_store(os.environ.get("CLICKHOUSE") or data_dir), tokens, clock=clock)
    server = waitress.create_server(
        app,
        host="127.0.0.1",
        port=port or 0,
        _dispatcher=Threads(THREADS),
        asyncore_use_poll=True,
    )
    print(f"ready {server.effective_port}", flush=True)
    server.run()


if __name__ == "__main__":
    main()
