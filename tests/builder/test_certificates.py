"""Which variable names the certificates."""

from pathlib import Path

import pytest

from builder.certificates import share_certificates

NAMES = ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, {}),
        (
            {"REQUESTS_CA_BUNDLE": "a.pem"},
            {"REQUESTS_CA_BUNDLE": "a.pem", "SSL_CERT_FILE": "a.pem"},
        ),
        ({"SSL_CERT_FILE": "a.pem"}, {"REQUESTS_CA_BUNDLE": "a.pem", "SSL_CERT_FILE": "a.pem"}),
        (
            {"REQUESTS_CA_BUNDLE": "a.pem", "SSL_CERT_FILE": "b.pem"},
            {"REQUESTS_CA_BUNDLE": "a.pem", "SSL_CERT_FILE": "b.pem"},
        ),
        ({"REQUESTS_CA_BUNDLE": "."}, {"REQUESTS_CA_BUNDLE": ".", "SSL_CERT_DIR": "."}),
    ],
)
def test_one_stands_for_the_other(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    given: dict[str, str],
    expected: dict[str, str],
) -> None:
    """What is named for one library is named for all; who names both means both."""
    environment = dict(given)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("os.environ", environment)
    share_certificates()
    assert environment == expected
