"""Tokens: made once, private, refused when others may read them."""

import os
import threading

import pytest

from collector.errors import CollectorError
from collector.tokens import load_or_make_tokens, same


def test_tokens_are_made_once_and_private(tmp_path):
    folder = tmp_path / "data"
    made = load_or_make_tokens(folder)
    assert load_or_make_tokens(folder) == made
    assert len({made.ingest, made.read, made.admin}) == 3
    for name in ("ingest", "read", "admin"):
        path = folder / f"{name}.token"
        assert path.stat().st_mode & 0o777 == 0o600
        assert path.read_text().strip() == getattr(made, name)
    assert folder.stat().st_mode & 0o777 == 0o700
    assert made.read not in repr(made)


def test_threads_agree_on_the_tokens(tmp_path):
    found = []
    threads = [
        threading.Thread(target=lambda: found.append(load_or_make_tokens(tmp_path)))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len(set(found)) == 1


def test_a_token_that_others_may_read_is_refused(tmp_path):
    load_or_make_tokens(tmp_path)
    os.chmod(tmp_path / "read.token", 0o644)
    with pytest.raises(CollectorError, match="chmod 600"):
        load_or_make_tokens(tmp_path)


@pytest.mark.parametrize("text", ["", "short", "ä" * 20])
def test_what_is_no_token_is_refused(tmp_path, text):
    load_or_make_tokens(tmp_path)
    (tmp_path / "read.token").write_text(text)
    with pytest.raises(CollectorError, match="holds no token"):
        load_or_make_tokens(tmp_path)


def test_equal_tokens_are_refused(tmp_path):
    load_or_make_tokens(tmp_path)
    (tmp_path / "read.token").write_text((tmp_path / "admin.token").read_text())
    with pytest.raises(CollectorError, match="are the same"):
        load_or_make_tokens(tmp_path)


def test_without_leave_to_make_them_a_missing_token_is_an_error(tmp_path):
    with pytest.raises(CollectorError, match=r"ingest\.token is missing"):
        load_or_make_tokens(tmp_path, may_make=False)
    made = load_or_make_tokens(tmp_path)
    assert load_or_make_tokens(tmp_path, may_make=False) == made


@pytest.mark.parametrize("given", ["", "secre", "secret ", "Secret", "\udcff", "ä"])
def test_other_texts_are_not_the_same(given):
    assert same("secret", "secret")
    assert not same(given, "secret")
