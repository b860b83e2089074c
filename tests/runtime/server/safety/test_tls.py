"""Tests of the certificate and its key."""

import subprocess
from pathlib import Path

import pytest

from runtime.errors import UsageError
from runtime.server.safety.tls import tls_context
from tests.certificate import make_certificate


def test_a_pair_is_taken(tmp_path: Path) -> None:
    """A certificate with its key."""
    pair = make_certificate(tmp_path)
    context = tls_context(str(pair.certificate), str(pair.key))
    assert context.minimum_version.name == "TLSv1_2"


@pytest.mark.parametrize(("certificate", "key"), [("a.pem", ""), ("", "a.pem")])
def test_one_alone_is_refused(certificate: str, key: str) -> None:
    """Both are needed."""
    with pytest.raises(UsageError, match="both"):
        tls_context(certificate, key)


def test_unusable_files_are_told(tmp_path: Path) -> None:
    """A missing one, one that is none, a foreign key, and a key with a password."""
    pair = make_certificate(tmp_path)
    other = make_certificate(tmp_path / "other")
    (tmp_path / "text").write_text("no key", encoding="utf-8")
    locked = tmp_path / "locked"
    subprocess.run(
        ["openssl", "ec", "-aes128", "-passout", "pass:word", "-in", pair.key, "-out", locked],
        check=True,
        capture_output=True,
    )
    for key, reason in {
        str(tmp_path / "none"): "No such file",
        str(tmp_path / "text"): ".",
        str(other.key): "mismatch",
        str(locked): ".",
    }.items():
        with pytest.raises(UsageError, match=f"TLS cannot use .*{reason}"):
            tls_context(str(pair.certificate), key)
