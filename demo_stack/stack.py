"""The demo's servers: started together, restarted host by host, and ended exactly as started."""

import secrets
import shutil
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from demo_stack.faults import mend_slow_query
from demo_stack.folders import remove_folders, ring_root
from demo_stack.hosts import HOSTS, JOBS, ring_dir
from demo_stack.ports import PORTS, choose_ports, starting_alone
from demo_stack.processes import DemoError, Launch, alive, await_ready, end, launch, run
from demo_stack.ptrace import check_ptrace
from demo_stack.releases import PACKAGE, build_release
from demo_stack.servers import platform
from demo_stack.servers.memcached import memcached
from demo_stack.servers.nginx import EDGE, nginx, route_around
from demo_stack.servers.postgres import database_exists, postgres
from demo_stack.servers.rabbitmq import node_names, rabbitmq
from demo_stack.servers.redis import redis
from demo_stack.servers.service import SECRET_FILE, service_env, worker
from demo_stack.state import State, names, read_state, write_state

__all__ = ["FIRST_RELEASE", "Stack"]

FIRST_RELEASE = "r1"
#: What is ended first; what is in none of these ends last.
ENDED_IN_TURN = (
    ("load",),
    ("edge", *HOSTS, JOBS),
    tuple(f"agent-{host}" for host in HOSTS),
    ("serve",),
    ("webhook", "redis", "memcached", "rabbitmq"),
)

LOOK_S = 0.5
#: A file that says that this folder is ours to fill and to delete.
MARKER = "this-is-a-dynoscope-demo"

Say = Callable[[str], None]


class Stack:
    """One demo in one folder. Every start is written to the state before it is waited for."""

    def __init__(self, home: Path, say: Say, usual_ports: Mapping[str, int] = PORTS) -> None:
        self.home = home.resolve()
        self.say = say
        self.hosts = tuple(HOSTS)
        self.usual_ports = usual_ports
        self.state = read_state(self.home) or State()

    def up(self, *, with_platform: bool = True) -> None:
        """Start everything on release r1; on any failure end what was started."""
        if self.running():
            raise DemoError(
                f"it is up already: {self.edge_url()} (end it with `dynoscope demo down`)"
            )
        with starting_alone(self.say):
            self.prepare()
            try:
                self._start_backends()
                if with_platform:
                    self._start_platform()
                self._start_service()
            except BaseException:
                self.down()
                raise

    def down(self) -> tuple[str, ...]:
        """End exactly what was started; the names of those that had to be killed."""
        left = list(self.state.processes)
        killed: list[str] = []
        for turn in (*ENDED_IN_TURN, None):
            group = [p for p in left if turn is None or p.name in turn]
            if any(alive(process) for process in group):
                self.say(f"ending {names(group)}")
            killed += end(group)
            left = [process for process in left if process not in group]
            self.state.processes = left
            write_state(self.home, self.state)
        shutil.rmtree(ring_root(self.home), ignore_errors=True)
        return tuple(killed)

    def remove(self) -> None:
        """Delete the data of a demo that is down; a folder that was no demo's is left alone."""
        if self.running():
            raise DemoError("it is up: end it before its data are deleted")
        if (self.home / MARKER).exists():
            remove_folders(self.home)

    def running(self) -> list[str]:
        """Names of the processes that run."""
        return [process.name for process in self.state.processes if alive(process)]

    def edge_url(self) -> str:
        """Where the service's clients go."""
        return f"http://127.0.0.1:{self.state.ports['edge']}"

    def serve_url(self) -> str:
        """Where Dynoscope answers."""
        return f"http://127.0.0.1:{self.state.ports['serve']}"

    def dashboards_url(self) -> str:
        """Dynoscope's pages, with the token that opens them."""
        token = (self.home / "data" / "read.token").read_text().strip()
        return f"{self.serve_url()}/?token={token}"

    def start(self, *launches: Launch) -> None:
        """Start these together, and return when all of them serve."""
        log_dir = self.home / "logs"
        started = []
        for what in launches:
            process = launch(what, log_dir)
            started.append((what, process))
            self.state.processes = [p for p in self.state.processes if p.name != what.name]
            self.state.processes.append(process)
            write_state(self.home, self.state)
        for what, process in started:
            await_ready(what, process)

    def stop(self, name: str) -> None:
        """End one process in good order."""
        end([self.state.process(name)])
        self.state.processes = [p for p in self.state.processes if p.name != name]
        write_state(self.home, self.state)

    def wait_for_end(self, name: str, meanwhile: Callable[[], None]) -> None:
        """Return when this process has ended by itself."""
        process = self.state.process(name)
        while alive(process):
            meanwhile()
            time.sleep(LOOK_S)

    def deploy(self, release: str, folder: Path, pause: Callable[[], None] | None = None) -> None:
        """Bring every host, one after the other, and then the job worker to this release.

        `pause` is called once, when the first host runs it.
        """
        for name in (*self.hosts, JOBS):
            if name == self.hosts[1] and pause is not None:
                self._route_around(None)
                pause()
            self.say(f"{name}: {self.state.releases[name]} -> {release}")
            self._route_around(name)
            self.stop(name)
            self.state.releases[name] = release
            self.start(worker(self.home, self.state.ports, name, release, folder))

    def prepare(self) -> None:
        """Make the folder with what every part of the demo needs, and choose ports."""
        if self.home.exists() and any(self.home.iterdir()) and not (self.home / MARKER).exists():
            raise DemoError(f"{self.home} holds something else: name a new folder with --home")
        check_ptrace()
        for folder in (self.home, self.home / "logs", self.home / "media", self.home / "rules"):
            folder.mkdir(exist_ok=True, parents=True)
        (self.home / MARKER).touch()
        secret = self.home / SECRET_FILE
        if not secret.exists():
            secret.touch(mode=0o600)
            secret.write_text(secrets.token_urlsafe(40))
        ports, notes = choose_ports(self.usual_ports)
        self.state = State(ports=ports)
        for note in notes:
            self.say(note)

    def _route_around(self, name: str | None) -> None:
        """Let the edge send requests to every host but this one (to all where it is none)."""
        ports = self.state.ports
        hosts = [ports[host] for host in self.hosts]
        resting = ports[name] if name in self.hosts else None
        route_around(self.home, self.state.process(EDGE), ports["edge"], hosts, resting)

    def _start_backends(self) -> None:
        self.say("starting PostgreSQL, Redis, Memcached and RabbitMQ")
        ports, home = self.state.ports, self.home
        self.start(node_names(home, ports["rabbitmq-names"]))
        self.start(
            rabbitmq(home, ports["rabbitmq"], ports["rabbitmq-nodes"], ports["rabbitmq-names"]),
            postgres(home, ports["postgres"]),
            redis(home, ports["redis"]),
            memcached(home, ports["memcached"]),
        )
        database_exists(home, ports["postgres"])

    def _start_platform(self) -> None:
        self.say("starting dynoscope: collector and dashboards, one agent per host")
        ports, home = self.state.ports, self.home
        self.start(platform.receiver(home, ports["webhook"]))
        self.start(platform.serve(home, ports["serve"], home / "rules", ports["webhook"]))
        self.start(
            *(
                platform.agent(
                    home,
                    host,
                    serve_port=ports["serve"],
                    statsd_port=ports[f"statsd-{host}"],
                    metrics_port=ports[f"metrics-{host}"],
                    ring_dir=ring_dir(home, host),
                )
                for host in self.hosts
            )
        )

    def _start_service(self) -> None:
        home, ports = self.home, self.state.ports
        folder = build_release(home, FIRST_RELEASE, patch=None)
        self.say("seeding the service")
        run(
            [sys.executable, "-m", f"{PACKAGE}.seed"],
            what="seeding the service",
            env=service_env(home, ports),
            cwd=folder,
        )
        # A fault of an earlier run, if that was cut short, would have been kept with the data.
        mend_slow_query(home, ports["postgres"])
        self.say("starting the service: nginx, uWSGI, Celery")
        workers = (*self.hosts, JOBS)
        self.state.releases = dict.fromkeys(workers, FIRST_RELEASE)
        self.start(*(worker(home, ports, name, FIRST_RELEASE, folder) for name in workers))
        self.start(nginx(home, ports["edge"], [ports[host] for host in self.hosts]))
