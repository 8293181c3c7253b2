"""A server that speaks TLS, with a certificate of an authority of its own."""

import subprocess

import pytest

from collector.store.errors import StoreError
from collector.store.store import open_store
from tests.collector.clickhouse import QUOTED, ClickHouse, free_port
from tests.collector.rows import request_rows

CONFIG = """
  <tcp_port_secure>{port}</tcp_port_secure>
  <openSSL><server>
    <certificateFile>{folder}/server.pem</certificateFile>
    <privateKeyFile>{folder}/server.key</privateKeyFile>
    <verificationMode>none</verificationMode><loadDefaultCAFile>false</loadDefaultCAFile>
    <cacheSessions>true</cacheSessions><preferServerCiphers>true</preferServerCiphers>
  </server></openSSL>
"""


def openssl(folder, *words):
    subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)


def certify(folder):
    """An authority (ca.pem), and what it certifies: 127.0.0.1 (server.pem)."""
    key = ("-newkey", "rsa:2048", "-nodes", "-days", "2")
    openssl(
        folder, "req", "-x509", *key, "-subj", "/CN=ours", "-keyout", "ca.key", "-out", "ca.pem"
    )
    openssl(folder, "req", *key, "-subj", "/CN=db", "-keyout", "server.key", "-out", "server.csr")
    (folder / "names").write_text("subjectAltName=IP:127.0.0.1\n")
    openssl(
        folder, "x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key",
        "-CAcreateserial", "-days", "2", "-extfile", "names", "-out", "server.pem",
    )  # fmt: skip


@pytest.fixture(scope="module")
def secure(tmp_path_factory):
    """(port that speaks TLS, folder of the certificates)."""
    folder = tmp_path_factory.mktemp("tls")
    certify(folder)
    port = free_port()
    server = ClickHouse(folder, more=CONFIG.format(port=port, folder=folder))
    server.start()
    yield port, folder
    server.kill()


def test_a_store_is_kept_over_tls(secure):
    port, folder = secure
    url = f"clickhouses://tester:{QUOTED}@127.0.0.1:{port}/over_tls?ca={folder}/ca.pem"
    store = open_store(url)
    store.insert("requests", request_rows(50, 1), "b1")
    store.close()
    store = open_store(url)
    sizes = {row["name"]: row["rows"] for row in store.query("table_sizes").to_pylist()}
    store.close()
    assert sizes["requests"] == 50


def test_a_certificate_of_another_authority_is_refused(secure, tmp_path):
    port, _ = secure
    certify(tmp_path)
    for query in ("", f"?ca={tmp_path}/ca.pem"):
        with pytest.raises(StoreError, match="is not trusted: name the file of its authority"):
            open_store(f"clickhouses://tester:{QUOTED}@127.0.0.1:{port}/x{query}")


def test_a_certificate_of_another_name_is_refused(secure):
    port, folder = secure
    with pytest.raises(StoreError, match="is not trusted"):
        open_store(f"clickhouses://tester:{QUOTED}@localhost:{port}/x?ca={folder}/ca.pem")


def test_a_file_that_holds_no_certificates_is_told(tmp_path):
    (tmp_path / "ca.pem").write_text("nothing")
    for name in ("ca.pem", "missing.pem"):
        with pytest.raises(StoreError, match="is no file of certificates in PEM"):
            open_store(f"clickhouses://u@127.0.0.1:9/x?ca={tmp_path}/{name}")
