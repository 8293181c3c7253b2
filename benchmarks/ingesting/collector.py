"""A collector in a process of its own, as `dynoscope serve` has it, without pages and rules.

`python -m benchmarks.ingesting.collector DATA [URL]` stores in the folder DATA, or in the server at
URL, and prints its port and its ingest token; it ends with its standard input.
"""

import logging
import os
import sys
import threading
from pathlib import Path

import waitress

from collector.app import create_app
from collector.store.store import open_store
from collector.threads import Threads
from collector.tokens import load_or_make_tokens
from dynoscope import CONNECTIONS_MAX, THREADS


def main() -> None:
    """Serve until the other end of standard input is closed."""
    logging.disable()  # a queue of requests is what is measured here
    data_dir = Path(sys.argv[1])
    tokens = load_or_make_tokens(data_dir)
    url = sys.argv[2] if len(sys.argv) > 2 else ""
    app = create_app(open_store(url or data_dir), tokens)
    server = waitress.create_server(
        app, host="127.0.0.1", port=0, _dispatcher=Threads(THREADS),
        connection_limit=2 * CONNECTIONS_MAX, asyncore_use_poll=True,
    )  # fmt: skip
    threading.Thread(target=_end_with_input, daemon=True).start()
    print(server.effective_port, tokens.ingest, flush=True)
    server.run()


def _end_with_input() -> None:
    sys.stdin.read()
    os._exit(0)


if __name__ == "__main__":
    main()
