"""HTTPS: the certificate and its key."""

import ssl

from runtime.errors import UsageError


def tls_context(certificate: str, key: str) -> ssl.SSLContext:
    """Return what TLS needs.

    Args:
        certificate: A PEM file with the certificate, and then those that signed it.
        key: A PEM file with its private key, without a password.

    Raises:
        UsageError: Only one is named, or they cannot be read or do not fit together.
    """
    if not certificate or not key:
        raise UsageError("TLS needs both --ssl-cert-file and --ssl-key-file.")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        # An empty password, or OpenSSL would ask for one at the terminal.
        context.load_cert_chain(certificate, key, password="")
    except (OSError, ValueError) as error:
        is_missing = isinstance(error, OSError) and not isinstance(error, ssl.SSLError)
        reason = error.strerror if is_missing and isinstance(error, OSError) else _why(error)
        raise UsageError(
            f"TLS cannot use {certificate} with {key}: {reason}.",
            hint="Both must be PEM files that belong together, the key without a password.",
        ) from error
    return context


def _why(error: Exception) -> str:
    reason = getattr(error, "reason", None)
    return (
        str(reason).replace("_", " ").lower() if reason else "the key or certificate is not sound"
    )
