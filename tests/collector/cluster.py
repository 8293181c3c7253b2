"""A ClickHouse cluster of 2 shards x 2 replicas on loopback ports, with Debian's ZooKeeper."""

import socket
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

from tests.collector.clickhouse import PASSWORD, QUOTED, READY_S, ClickHouse, free_port

NAME = "four"
SHARDS = (1, 2)
REPLICAS = (1, 2)
JARS = Path("/usr/share/java")
#: What a ZooKeeper of its own needs of that folder.
NEEDED = ("zookeeper", "zookeeper-jute", "slf4j-api", "slf4j-nop", "netty-*", "snappy-java",
          "metrics-core", "commons-cli", "commons-io")  # fmt: skip
MAIN = "org.apache.zookeeper.server.ZooKeeperServerMain"
#: Nothing here outlives the machine, so nothing waits for its disk.
JAVA = ("java", "-Xmx128m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC",
        "-Dzookeeper.forceSync=no")  # fmt: skip
ZOO_CFG = """tickTime=1000
dataDir={folder}/data
clientPortAddress=127.0.0.1
clientPort={port}
maxClientCnxns=0
admin.enableServer=false
4lw.commands.whitelist=srvr
"""
#: A server that was killed is known to be gone after the session's time.
NODE = """
  <remote_servers><four>{shards}</four></remote_servers>
  <macros><shard>{shard}</shard><replica>{replica}</replica></macros>
  <zookeeper>
    <node><host>127.0.0.1</host><port>{zookeeper}</port></node>
    <session_timeout_ms>10000</session_timeout_ms>
  </zookeeper>
  <interserver_http_host>127.0.0.1</interserver_http_host>
  <interserver_http_port>{interserver}</interserver_http_port>
  <distributed_ddl><path>/clickhouse/task_queue/ddl</path></distributed_ddl>
  <background_pool_size>4</background_pool_size>
  <merge_tree>
    <replicated_max_ratio_of_wrong_parts>1</replicated_max_ratio_of_wrong_parts>
    <cleanup_delay_period>1</cleanup_delay_period>
    <cleanup_delay_period_random_add>0</cleanup_delay_period_random_add>
  </merge_tree>
"""
#: ON CLUSTER passes no settings on.
PROFILE = "<allow_experimental_low_cardinality_type>1</allow_experimental_low_cardinality_type>"
REPLICA = (
    "<replica><host>127.0.0.1</host><port>{port}</port>"
    "<user>tester</user><password>{password}</password></replica>"
)


@dataclass
class ZooKeeper:
    """One server, ended by its id."""

    folder: Path
    port: int = 0
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    def launch(self) -> None:
        assert (JARS / "zookeeper.jar").exists(), "zookeeper is missing: .ci/setup installs it"
        self.port = self.port or free_port()
        (self.folder / "data").mkdir(parents=True, exist_ok=True)
        (self.folder / "zoo.cfg").write_text(ZOO_CFG.format(folder=self.folder, port=self.port))
        jars = [str(path) for name in NEEDED for path in JARS.glob(f"{name}.jar")]
        with (self.folder / "out").open("ab") as out:
            self.process = subprocess.Popen(
                [*JAVA, "-cp", ":".join(jars), MAIN, str(self.folder / "zoo.cfg")],
                cwd=self.folder, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
            )  # fmt: skip

    def wait(self) -> None:
        """Until it answers."""
        assert self.process is not None
        last = time.monotonic() + READY_S
        while not self.answers():
            assert self.process.poll() is None, (self.folder / "out").read_text()
            assert time.monotonic() < last, "ZooKeeper does not answer"
            time.sleep(0.05)

    def answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), 1) as asked:
                asked.sendall(b"srvr")
                return b"Mode:" in asked.recv(4096)
        except OSError:
            return False

    def kill(self) -> None:
        """kill -9."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()


@dataclass
class Cluster:
    """Replica r of shard s is `nodes[s, r]`; each may be killed and started again."""

    folder: Path
    zookeeper: ZooKeeper = field(init=False)
    nodes: dict[tuple[int, int], ClickHouse] = field(default_factory=dict)

    def start(self) -> None:
        """Start all, and wait until all answer."""
        self.zookeeper = ZooKeeper(self.folder / "zookeeper")
        self.zookeeper.launch()
        ports = {(shard, replica): free_port() for shard in SHARDS for replica in REPLICAS}
        for (shard, replica), port in ports.items():
            folder = self.folder / f"s{shard}r{replica}"
            folder.mkdir()
            more = NODE.format(
                shards=_shards(ports), shard=shard, replica=f"r{replica}",
                zookeeper=self.zookeeper.port, interserver=free_port(),
            )  # fmt: skip
            self.nodes[shard, replica] = ClickHouse(folder, port, more, PROFILE, "debug")
        self.zookeeper.wait()
        for node in self.nodes.values():
            node.launch()
        for node in self.nodes.values():
            node.wait()
            _wait_for_queue(node)

    def kill(self) -> None:
        """kill -9, all of them."""
        for node in self.nodes.values():
            if node.process is not None:
                node.kill()
        self.zookeeper.kill()

    def url(self, database: str) -> str:
        """All nodes, the first replicas first."""
        hosts = ",".join(f"127.0.0.1:{node.port}" for node in self.nodes.values())
        return f"clickhouse://tester:{QUOTED}@{hosts}/{database}?cluster={NAME}"


def _wait_for_queue(node: ClickHouse) -> None:
    """Until it takes statements ON CLUSTER: one that comes before that ends 18.16."""
    last = time.monotonic() + READY_S
    while "DDLWorker: Processing tasks" not in (node.folder / "server.log").read_text():
        assert time.monotonic() < last, "the server takes no statements ON CLUSTER"
        time.sleep(0.05)


def _shards(ports: dict[tuple[int, int], int]) -> str:
    return "".join(
        "<shard><internal_replication>true</internal_replication>"
        + "".join(
            REPLICA.format(port=ports[shard, replica], password=PASSWORD) for replica in REPLICAS
        )
        + "</shard>"
        for shard in SHARDS
    )
