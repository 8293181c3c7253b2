"""The service's own workers: the settings they run with, and what starts them."""

from collections.abc import Mapping
from pathlib import Path

from demo_stack.hosts import HOSTS, JOBS, host_of, ring_dir
from demo_stack.processes import Launch
from demo_stack.releases import PACKAGE
from demo_stack.servers.celery import celery
from demo_stack.servers.postgres import PASSWORD_FILE
from demo_stack.servers.uwsgi import uwsgi

__all__ = ["SECRET_FILE", "service_env", "worker"]

SECRET_FILE = "secret.key"


def worker(home: Path, ports: Mapping[str, int], name: str, release: str, folder: Path) -> Launch:
    """A host's uWSGI or the Celery worker, running the release in `folder`, with the probe."""
    host = host_of(name)
    env = {
        **service_env(home, ports),
        "DYNOSCOPE_SERVICE": PACKAGE,
        "DYNOSCOPE_HOST": host,
        "DYNOSCOPE_REGION": HOSTS[host],
        "DYNOSCOPE_RELEASE": release,
        "DYNOSCOPE_RING_DIR": str(ring_dir(home, host)),
        "PHOTOS_STATSD_PORT": str(ports[f"statsd-{host}"]),
    }
    if name == JOBS:
        return celery(JOBS, env["PHOTOS_BROKER_URL"], folder, env)
    return uwsgi(home, name, ports[name], folder, env)


def service_env(home: Path, ports: Mapping[str, int]) -> dict[str, str]:
    """The service's settings, without the probe's."""
    return {
        "PHOTOS_SECRET_KEY": (home / SECRET_FILE).read_text(),
        "PHOTOS_POSTGRES_PORT": str(ports["postgres"]),
        "PHOTOS_POSTGRES_PASSWORD": (home / PASSWORD_FILE).read_text().strip(),
        "PHOTOS_MEMCACHED": f"127.0.0.1:{ports['memcached']}",
        "PHOTOS_REDIS_URL": f"redis://127.0.0.1:{ports['redis']}/0",
        "PHOTOS_BROKER_URL": f"amqp://guest:guest@127.0.0.1:{ports['rabbitmq']}//",
        "PHOTOS_MEDIA_ROOT": str(home / "media"),
        "DJANGO_SETTINGS_MODULE": f"{PACKAGE}.settings",
    }
