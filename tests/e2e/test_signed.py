"""A signed solofile checks a signature with what is frozen into it."""

import json
import shutil
from pathlib import Path

from builder.sign.secret_key import SecretKey
from builder.sign.sign import embed_signature
from tests.solofile import run_solofile


def test_it_checks_its_own_signature(solofile: Path, tmp_path: Path) -> None:
    """The right key is accepted, another is not, and a model still comes out."""
    path = tmp_path / "chat"
    shutil.copy(solofile, path)
    key, other = SecretKey.new(), SecretKey.new()
    embed_signature(path, key)
    done = run_solofile(path, "verify", "--json", "--key", key.public.line)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["signature"]["is_valid"] is True
    done = run_solofile(path, "verify", "--key", other.public.line)
    assert done.returncode == 3
    assert "is not signed by key" in done.stderr
    forged = SecretKey(key.id, other.key)
    embed_signature(path, forged)
    done = run_solofile(path, "verify", "--key", key.public.line)
    assert done.returncode == 3
    assert "is damaged in the signature" in done.stderr
