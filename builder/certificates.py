"""The certificates that a user names: some libraries know one variable for them, some another."""

import os
from pathlib import Path


def share_certificates() -> None:
    """Let this process and its children trust what `REQUESTS_CA_BUNDLE` or `SSL_CERT_FILE` names.

    Where both are set, each stays as it is.
    """
    bundle, file = os.environ.get("REQUESTS_CA_BUNDLE"), os.environ.get("SSL_CERT_FILE")
    if bundle and not file:
        name = "SSL_CERT_DIR" if Path(bundle).is_dir() else "SSL_CERT_FILE"
        os.environ[name] = os.environ.get(name) or bundle
    elif file and not bundle:
        os.environ["REQUESTS_CA_BUNDLE"] = file
