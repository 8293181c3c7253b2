"""A program to be profiled: `python program.py PLAN SECONDS` serves requests of ten stages.

PLAN is a JSON file, stage -> how many times its work; whoever analyses the program does not read
it. Prints `ready`, then one JSON object: windows of [requests, thread CPU ns].
"""

import json
import sys
import time

UNIT = 1_500
WORK = (3, 5, 8, 2, 6, 4, 7, 5, 3, 6)
WINDOW_S = 0.5


def main() -> None:
    with open(sys.argv[1], encoding="utf-8") as file:
        plan = json.load(file)
    loops = [round(work * UNIT * plan.get(f"stage_{at}", 1.0)) for at, work in enumerate(WORK)]
    windows: list[tuple[int, int]] = []
    print("ready", flush=True)
    end = time.monotonic() + float(sys.argv[2])
    while time.monotonic() < end:
        count, began = 0, time.thread_time_ns()
        until = time.monotonic() + WINDOW_S
        while time.monotonic() < until:
            view(loops)
            count += 1
        windows.append((count, time.thread_time_ns() - began))
    print(json.dumps(windows), flush=True)


def view(loops: list[int]) -> None:
    stage_0(loops)
    stage_1(loops)
    stage_4(loops)
    stage_8(loops)


def stage_0(loops: list[int]) -> None:
    for _ in range(loops[0]):
        pass


def stage_1(loops: list[int]) -> None:
    for _ in range(loops[1]):
        pass
    stage_2(loops)
    stage_3(loops)


def stage_2(loops: list[int]) -> None:
    for _ in range(loops[2]):
        pass


def stage_3(loops: list[int]) -> None:
    for _ in range(loops[3]):
        pass


def stage_4(loops: list[int]) -> None:
    for _ in range(loops[4]):
        pass
    stage_5(loops)
    stage_6(loops)


def stage_5(loops: list[int]) -> None:
    for _ in range(loops[5]):
        pass


def stage_6(loops: list[int]) -> None:
    for _ in range(loops[6]):
        pass
    stage_7(loops)


def stage_7(loops: list[int]) -> None:
    for _ in range(loops[7]):
        pass


def stage_8(loops: list[int]) -> None:
    for _ in range(loops[8]):
        pass
    stage_9(loops)


def stage_9(loops: list[int]) -> None:
    for _ in range(loops[9]):
        pass


if __name__ == "__main__":
    main()
