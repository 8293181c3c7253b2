import os
import socket
import time
from pathlib import Path

from agent.host import Host, pressure

PROC = Path("/proc")


def total(told, name):
    return sum(one.value for one in told if one.name == name)


def test_cpu_memory_disk_and_network_of_this_machine(tmp_path):
    host = Host(PROC, tmp_path)
    first = {one.name: one for one in host.series("elsewhere")}
    assert {one.kind for one in first.values()} == {"gauge"}, "an increase needs a reading before"
    assert {one.labels for one in first.values()} == {("shared_machine=1",)}
    for name in ("memory", "disk"):
        used, size = (first[f"host_{name}_{what}_bytes"].value for what in ("used", "total"))
        assert 0 < used < size
    told = []
    until_s = time.monotonic() + 120
    with open(tmp_path / "written", "wb", buffering=0) as file:
        while not total(told, "host_disk_written_bytes") and time.monotonic() < until_s:
            file.write(os.urandom(1 << 20))
            os.fsync(file.fileno())
            told += host.series(socket.gethostname())
    assert total(told, "host_disk_written_bytes") > 0
    assert {one.labels for one in told} == {()}
    assert all(one.value >= 0 for one in told)
    assert {one.source for one in told} == {"host"}
    names = {one.name for one in told if one.kind == "counter"}
    assert {"host_network_received_bytes", "host_network_dropped", "host_disk_busy_s"} <= names


def test_pressure_of_a_recorded_proc_and_of_a_kernel_that_has_none(tmp_path):
    (tmp_path / "pressure").mkdir()
    (tmp_path / "pressure/io").write_text(
        "some avg10=20.51 avg60=15.43 avg300=8.61 total=2500000\n"
        "full avg10=0.00 avg60=0.00 avg300=0.00 total=1000000\n"
    )
    assert pressure("io", tmp_path) == {"some": 2.5, "full": 1.0}
    assert pressure("cpu", tmp_path) == {}
    host = Host(tmp_path)
    host.series("h")
    rises = {one.name: one.value for one in host.series("h")}
    assert rises["host_io_pressure_some_s"] == 0
    assert "host_cpu_pressure_some_s" not in rises
