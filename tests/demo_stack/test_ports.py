"""A taken port leads to the next free one, and is told."""

import socket
import threading

import pytest

from demo_stack.ports import PORTS, choose_ports, is_free, starting_alone


@pytest.fixture
def taken():
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        yield server.getsockname()[1]


def test_a_taken_port_is_passed_over(taken: int):
    assert not is_free(taken)
    ports, notes = choose_ports({"edge": taken})
    assert ports["edge"] > taken
    assert notes == [f"port {taken} is taken: edge uses {ports['edge']}"]


def test_no_port_is_given_twice(taken: int):
    ports, _ = choose_ports({"one": taken, "two": taken + 1, "three": taken})
    assert len(set(ports.values())) == 3
    assert taken not in ports.values()


def test_a_udp_port_in_use_is_not_free():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        assert not is_free(server.getsockname()[1])


def test_usual_ports_differ():
    assert len(set(PORTS.values())) == len(PORTS)


def test_only_one_demo_starts_at_a_time():
    first_has_it, told, order = threading.Event(), threading.Event(), []

    def first() -> None:
        with starting_alone(print):
            first_has_it.set()
            told.wait(30)
            order.append("first")

    def say(line: str) -> None:
        order.append(line)
        told.set()

    thread = threading.Thread(target=first)
    thread.start()
    first_has_it.wait(30)
    with starting_alone(say):
        order.append("second")
    thread.join()
    assert order == ["another demo is starting: waiting until it has its ports", "first", "second"]
