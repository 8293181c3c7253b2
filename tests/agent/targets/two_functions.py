"""Splits its CPU 70 to 30 between two functions under an endpoint frame.

Prints `ready`, and at the end of its input the CPU of each, in ns, by its own thread_time.
"""

import select
import sys
import time

SLICE_S = 0.001
CPU_NS = {"dear": 0, "cheap": 0}


def spin(seconds):
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        for _ in range(100):
            pass


def dear():
    began = time.thread_time_ns()
    spin(7 * SLICE_S)
    CPU_NS["dear"] += time.thread_time_ns() - began


def cheap():
    began = time.thread_time_ns()
    spin(3 * SLICE_S)
    CPU_NS["cheap"] += time.thread_time_ns() - began


def view():
    dear()
    cheap()


def trampoline(call):
    call()


trampoline.__code__ = trampoline.__code__.replace(
    co_name="GET /feed; v=<1> (x)", co_qualname="GET /feed; v=<1> (x)", co_filename="<endpoint>"
)

print("ready", flush=True)
while not select.select([sys.stdin], [], [], 0)[0]:
    trampoline(view)
    time.sleep(0.005)
print(CPU_NS["dear"], CPU_NS["cheap"], flush=True)
