"""Debian's ClickHouse server on a free loopback port, with a folder of its own, ended by its id."""

import shutil
import socket
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

from clickhouse_driver import Client, errors  # type: ignore[import-untyped]

CONFIG = """<yandex>
  <logger>
    <level>{level}</level><log>{folder}/server.log</log><errorlog>{folder}/error.log</errorlog>
  </logger>
  <tcp_port>{port}</tcp_port><listen_host>127.0.0.1</listen_host>
  <path>{folder}/data/</path><tmp_path>{folder}/tmp/</tmp_path>
  <users_config>{folder}/users.xml</users_config>
  <default_profile>default</default_profile><default_database>default</default_database>
  <mark_cache_size>67108864</mark_cache_size><uncompressed_cache_size>0</uncompressed_cache_size>
  <max_connections>64</max_connections>
  {more}
</yandex>
"""
USERS = """<yandex>
  <profiles><default>{profile}</default></profiles><quotas><default></default></quotas>
  <users>
    <tester>
      <password>{password}</password><networks><ip>127.0.0.1</ip></networks>
      <profile>default</profile><quota>default</quota>
    </tester>
    <guest>
      <password>{password}</password><networks><ip>127.0.0.1</ip></networks>
      <profile>default</profile><quota>default</quota>
      <allow_databases><database>given</database></allow_databases>
    </guest>
  </users>
</yandex>
"""
PASSWORD = "p@ss:w/rd"
QUOTED = "p%40ss%3Aw%2Frd"
READY_S = 120


@dataclass
class ClickHouse:
    """One server; `start` may follow `kill`: the data stay. `more`, `profile`: further
    elements of its config, and of what statements without settings of their own run with.
    """

    folder: Path
    port: int = 0
    more: str = field(default="", repr=False)
    profile: str = ""
    level: str = "warning"
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    def start(self) -> None:
        """Start, and wait until it answers."""
        self.launch()
        self.wait()

    def launch(self) -> None:
        """Start; `wait` until it answers."""
        binary = shutil.which("clickhouse-server") or "/usr/sbin/clickhouse-server"
        assert Path(binary).exists(), "clickhouse-server is missing: .ci/setup installs it"
        self.port = self.port or free_port()
        config = CONFIG.format(folder=self.folder, port=self.port, more=self.more, level=self.level)
        (self.folder / "config.xml").write_text(config)
        users = USERS.format(password=PASSWORD, profile=self.profile)
        (self.folder / "users.xml").write_text(users)
        with (self.folder / "out").open("ab") as out:
            self.process = subprocess.Popen(
                [binary, f"--config-file={self.folder / 'config.xml'}"],
                cwd=self.folder, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
            )  # fmt: skip

    def wait(self) -> None:
        """Until it answers."""
        assert self.process is not None
        last = time.monotonic() + READY_S
        while not self.answers():
            assert self.process.poll() is None, (self.folder / "out").read_text()
            assert time.monotonic() < last, "the server does not answer"
            time.sleep(0.05)

    def kill(self) -> None:
        """kill -9."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def answers(self) -> bool:
        client = self.client()
        try:
            return bool(client.execute("SELECT 1"))
        except (errors.Error, OSError, EOFError):
            return False
        finally:
            client.disconnect()

    def client(self) -> Client:
        return Client("127.0.0.1", self.port, user="tester", password=PASSWORD, connect_timeout=5)

    def url(self, database: str, user: str = "tester") -> str:
        """`guest` may use the database `given` only."""
        return f"clickhouse://{user}:{QUOTED}@127.0.0.1:{self.port}/{database}"


def free_port() -> int:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return int(held.getsockname()[1])
