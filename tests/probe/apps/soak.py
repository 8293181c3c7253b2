"""Many requests of every kind in one process: prints the growth of its memory blocks and of its
resident memory (KiB) between the first tenth (5,000 at least) and the end."""

import gc
import sys
from pathlib import Path

import dynoscope_probe
from dynoscope_probe.calls import timed_cache_call
from dynoscope_probe.request import current_request

TRACED = {"HTTP_TRACEPARENT": "00-0123456789abcdef0011223344556677-8899aabbccddeeff-00"}


class Streamed:
    def __iter__(self):
        return iter(["ab", "c"])

    def close(self):
        pass


cached = timed_cache_call(timed_cache_call(lambda: None, "cache get"), "cache get_or_set")


def application(environ, start_response):
    kind = environ["kind"]
    start_response("500 Oops" if kind == 1 else "200 OK", [])
    counted = current_request()
    if kind == 2:
        counted.add_db_call(3, 1, 2, 0)
        cached()
        counted.add_flag("a", "b")
    if kind == 3:
        raise KeyError("missing")
    if kind == 4:
        counted.name("POST /other/")
    if kind == 5:
        return ["a list"]
    return Streamed() if kind % 2 else (part for part in "abc")


def requests(count):
    wrapped = dynoscope_probe.wsgi(application)
    for number in range(count):
        kind = number % 8
        environ = {"REQUEST_METHOD": "GET", "kind": kind, **(TRACED if kind == 6 else {})}
        try:
            response = wrapped(environ, lambda status, headers: None)
        except KeyError:
            continue
        if kind != 7:  # whose server neither reads nor closes it
            for _ in response:
                pass
            getattr(response, "close", bool)()


def memory():
    gc.collect()
    status = Path("/proc/self/status").read_text()
    return sys.getallocatedblocks(), int(status.partition("VmRSS:")[2].split()[0])


def main(count):
    requests(max(count // 10, 20_000))  # the whole ring has been written once
    blocks, kib = memory()
    requests(count)
    now_blocks, now_kib = memory()
    print(now_blocks - blocks, now_kib - kib)


if __name__ == "__main__":
    main(int(sys.argv[1]))
