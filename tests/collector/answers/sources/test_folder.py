import os

import pytest

from collector.answers.sources.folder import Folder
from collector.answers.sources.text import BYTES_MAX, NoSource

SECRET = "root:x:0:0"


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "secret.py").write_text(SECRET)
    package = tmp_path / "releases" / "r1" / "shop"
    package.mkdir(parents=True)
    (package / "feed.py").write_text("def rank(): ...\n")
    return Folder(tmp_path / "releases")


def text(folder, *paths, release="r1"):
    return folder.text(release, [], paths)


def test_the_first_path_that_is_there_is_read(folder):
    found = text(folder, "srv/shop/feed.py", "shop/feed.py")
    assert (found.text, found.path, found.commit) == ("def rank(): ...\n", "r1/shop/feed.py", "")
    assert folder.blame(found, 1, 1) == {}


def test_what_is_not_there_is_said(folder):
    with pytest.raises(NoSource, match="has no shop/none.py"):
        text(folder, "shop/none.py")
    with pytest.raises(NoSource, match="has no shop/feed.py/x.py"):
        text(folder, "shop/feed.py/x.py")
    with pytest.raises(NoSource, match="has no folder r2"):
        text(folder, "shop/feed.py", release="r2")


@pytest.mark.parametrize("release", ["..", ".", "", "r1/../..", "/", "~", "-x", "r\n1", "r\0"])
def test_a_release_that_is_no_plain_name_is_refused(folder, release):
    with pytest.raises(NoSource, match="cannot name a folder"):
        text(folder, "secret.py", release=release)


@pytest.mark.parametrize("path", ["../../secret.py", "./feed.py", "shop//feed.py", "a\0.py"])
def test_paths_that_are_not_plain_are_refused(folder, path):
    with pytest.raises(NoSource, match="not plain"):
        text(folder, path)


def test_no_link_is_followed(folder, tmp_path):
    shop = folder.root / "r1" / "shop"
    (shop / "link.py").symlink_to(tmp_path / "secret.py")
    (folder.root / "r1" / "up").symlink_to(tmp_path)
    (folder.root / "r3").symlink_to(tmp_path)
    for release, path in (("r1", "shop/link.py"), ("r1", "up/secret.py"), ("r3", "secret.py")):
        with pytest.raises(NoSource) as told:
            text(folder, path, release=release)
        assert SECRET not in str(told.value)


def test_what_is_no_file_does_not_hang(folder):
    os.mkfifo(folder.root / "r1" / "pipe.py")
    with pytest.raises(NoSource, match="no regular file"):
        text(folder, "pipe.py")
    with pytest.raises(NoSource):
        text(folder, "shop")


def test_a_huge_file_is_not_read(folder):
    (folder.root / "r1" / "huge.py").write_bytes(b"#" * (BYTES_MAX + 1))
    with pytest.raises(NoSource, match="more than 2,000,000 bytes"):
        text(folder, "huge.py")


def test_bytes_that_are_no_text_are_replaced(folder):
    (folder.root / "r1" / "latin.py").write_bytes(b"# caf\xe9\n")
    assert text(folder, "latin.py").text == "# caf\ufffd\n"
