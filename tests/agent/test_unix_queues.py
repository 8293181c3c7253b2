import socket

import pytest

from agent.unix_queues import parse_answer, unix_queues


@pytest.mark.parametrize("kind", ["path", "abstract"])
def test_connections_that_wait_at_a_real_socket(tmp_path, kind):
    name = str(tmp_path / "app.sock") if kind == "path" else f"@dynoscope{tmp_path}"
    address = name.replace("@", "\0", 1) if kind == "abstract" else name
    clients = [socket.socket(socket.AF_UNIX) for _ in range(3)]
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(address)
        server.listen(7)
        assert unix_queues()[name] == (0, 7)
        for client in clients:
            client.connect(address)
        assert unix_queues()[name] == (3, 7)
        server.accept()[0].close()
        assert unix_queues()[name] == (2, 7)
    assert name not in unix_queues()
    for client in clients:
        client.close()


def test_bytes_that_are_no_answer():
    good = b"\x14\0\0\0\x03\0\2\0\1\0\0\0\0\0\0\0\0\0\0\0"
    assert parse_answer(good) == ({}, True)
    assert parse_answer(b"") == ({}, True)
    for length in range(40):
        parse_answer(b"\x20\0\0\0\x14\0" + b"\xff" * length)
        parse_answer(b"\0" * length)
