"""RabbitMQ: the queue before the Celery worker; and the name server of its node."""

import shutil
from pathlib import Path

from demo_stack.folders import account_for, server_folder
from demo_stack.processes import DemoError, Launch
from demo_stack.servers.installed import installed
from demo_stack.servers.readiness import tcp_answers

__all__ = ["node_names", "rabbitmq"]

#: Debian's /usr/sbin/rabbitmq-server insists on root or the rabbitmq user and on its own folders.
SCRIPT = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
AMQP_GREETING = b"AMQP\x00\x00\x09\x01"
AMQP_START = b"\x01\x00\x00"


def rabbitmq(home: Path, port: int, nodes_port: int, names_port: int) -> Launch:
    """A private RabbitMQ node; all of its ports on loopback."""
    if not SCRIPT.exists():
        raise DemoError("RabbitMQ is not installed: run `make setup` (rabbitmq-server)")
    account = account_for("rabbitmq")
    folder = server_folder(home, "rabbitmq", account)
    for name in ("mnesia", "log"):
        (folder / name).mkdir(exist_ok=True)
        if account is not None:
            shutil.chown(folder / name, account, account)
    configuration = folder / "rabbitmq.conf"
    configuration.write_text(f"listeners.tcp.1 = 127.0.0.1:{port}\nloopback_users.guest = true\n")
    configuration.chmod(0o644)
    return Launch(
        name="rabbitmq",
        argv=["/bin/sh", str(SCRIPT)],
        missing=lambda: tcp_answers(port, AMQP_GREETING, AMQP_START),
        port=port,
        env={
            "HOME": str(folder),
            "RABBITMQ_NODENAME": f"dynoscope{port}@localhost",
            "RABBITMQ_CONFIG_FILE": str(configuration),
            "RABBITMQ_CONF_ENV_FILE": "/dev/null",
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "enabled_plugins"),
            "RABBITMQ_MNESIA_BASE": str(folder / "mnesia"),
            "RABBITMQ_LOG_BASE": str(folder / "log"),
            "RABBITMQ_DIST_PORT": str(nodes_port),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": (
                "-kernel inet_dist_use_interface {127,0,0,1} +S 1:1"
            ),
            # The script then becomes the server, and does not stay beside it.
            "RUNNING_UNDER_SYSTEMD": "true",
            **_names(names_port),
        },
        cwd=folder,
        account=account,
        ready_s=240,
        stop_s=30,
    )


def node_names(home: Path, port: int) -> Launch:
    """Erlang's name server of our own, so that the machine's is neither used nor started."""
    account = account_for("rabbitmq")
    return Launch(
        name="rabbitmq-names",
        argv=[
            installed("epmd"),
            "-address",
            "127.0.0.1",
            "-port",
            str(port),
            "-relaxed_command_check",
        ],
        # A request for all names: two bytes of length, then 'n'; the answer begins with the port.
        missing=lambda: tcp_answers(port, b"\x00\x01n", port.to_bytes(4, "big")),
        port=port,
        cwd=server_folder(home, "rabbitmq", account),
        account=account,
    )


def _names(port: int) -> dict[str, str]:
    return {"ERL_EPMD_PORT": str(port), "ERL_EPMD_ADDRESS": "127.0.0.1"}
