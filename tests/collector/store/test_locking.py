"""One process a data folder."""

import os
import subprocess
import sys

import pytest

from collector.store.errors import StoreInUse
from collector.store.store import open_store


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The folder of a store that this process has open."""
    path = tmp_path_factory.mktemp("store")
    opened = open_store(path)
    yield path
    opened.close()


def opened_elsewhere(folder):
    """Another process opens the folder, and ends."""
    script = "import sys; from pathlib import Path; from collector.store.store import open_store\n"
    script += "open_store(Path(sys.argv[1])).close()"
    command = [sys.executable, "-c", script, str(folder)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_one_process_a_folder(folder):
    other = opened_elsewhere(folder)
    assert other.returncode == 1
    last = other.stderr.strip().splitlines()[-1]
    assert f"belongs to process {os.getpid()}: end it, or choose another folder" in last


def test_a_second_store_in_the_process_is_refused_and_leaves_the_folder_free(folder, tmp_path):
    for _ in range(2):
        with pytest.raises(StoreInUse, match="already holds another data folder"):
            open_store(tmp_path)
    other = opened_elsewhere(tmp_path)
    assert other.returncode == 0, other.stderr
