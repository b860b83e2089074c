"""`key`, `sign`, and what `verify` makes of trusted keys."""

import json
from pathlib import Path

import pytest

from builder.__main__ import run
from builder.kit.kit import Kit
from builder.pack import write_solofile
from builder.sign import secret_key
from builder.sign.secret_key import SecretKey
from tests.builder.contents import contents_of
from tests.builder.sign.minisign_program import minisign
from tests.builder.sign.test_secret_key import CHEAP
from tests.builder.tiny_gguf import write_gguf


@pytest.fixture
def solofile(tiny_kit: Kit, tmp_path: Path, own_home: Path) -> Path:
    """A small solofile, at the home of somebody who has no key yet."""
    write_solofile(contents_of(tiny_kit, write_gguf(tmp_path / "model.gguf")), tmp_path / "chat")
    return tmp_path / "chat"


def test_from_a_key_to_a_checked_file(solofile: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A key is made and shown, signs, and is believed; the stock program agrees."""
    assert run(["key", "new", "--no-passphrase"]) == 0
    line = capsys.readouterr().out.strip()
    assert run(["key", "show"]) == 0
    assert f"  own      {line}  " in capsys.readouterr().out
    assert run(["key", "show", "--json"]) == 0
    (shown,) = json.loads(capsys.readouterr().out)
    assert (shown["whose"], shown["public_key"]) == ("own", line)
    assert run(["sign", str(solofile)]) == 0
    assert f"{solofile} is signed by key" in capsys.readouterr().out
    assert run(["verify", str(solofile)]) == 0
    assert "is sound, and signed by key" in capsys.readouterr().out
    assert run(["verify", str(solofile), "--key", line]) == 0
    assert minisign("-V", "-m", solofile, "-P", line).returncode == 0


def test_for_programs(solofile: Path, own_home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Making, showing and trusting keys, and signing, tell the same facts as JSON."""
    assert run(["key", "new", "--no-passphrase", "--json"]) == 0
    made = json.loads(capsys.readouterr().out)
    assert Path(made.pop("secret_key")).is_relative_to(own_home)
    other = SecretKey.new().public
    assert run(["key", "trust", other.line, "--name", "The maker", "--json"]) == 0
    trusted = json.loads(capsys.readouterr().out)
    assert Path(trusted.pop("path")).is_file()
    assert run(["key", "show", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert {one["whose"]: one for one in shown} == {"own": made, "trusted": trusted}
    assert run(["sign", str(solofile), "--json"]) == 0
    beside = f"{solofile}.minisig"
    signed = {"path": str(solofile), "signature": beside, "key": made["key"]}
    assert json.loads(capsys.readouterr().out) == [signed]


def test_no_passphrase_no_key(
    own_home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing unprotected is written unless that was asked for."""
    assert run(["key", "new"]) == 2
    assert "no terminal to ask at" in capsys.readouterr().err
    monkeypatch.setenv("SOLOFILE_PASSPHRASE", "")
    assert run(["key", "new"]) == 2
    assert "An empty passphrase protects nothing" in capsys.readouterr().err
    assert list(own_home.iterdir()) == []


def test_a_passphrase_is_asked_for(
    solofile: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A protected key signs with its passphrase alone."""
    monkeypatch.setattr(secret_key, "Cost", lambda *given: type(CHEAP)(*given) if given else CHEAP)
    monkeypatch.setenv("SOLOFILE_PASSPHRASE", "correct horse")
    assert run(["key", "new"]) == 0
    assert run(["sign", str(solofile)]) == 0
    monkeypatch.setenv("SOLOFILE_PASSPHRASE", "wrong horse")
    assert run(["sign", str(solofile)]) == 2
    assert "That is not the passphrase of" in capsys.readouterr().err
    assert run(["key", "new", "--no-passphrase"]) == 2
    assert "There is a key in" in capsys.readouterr().err


def test_another_makers_key(
    solofile: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What the stock program's key signed is believed once that is trusted."""
    public, secret = tmp_path / "maker.pub", tmp_path / "maker.key"
    assert minisign("-G", "-W", "-p", public, "-s", secret).returncode == 0
    assert run(["sign", "--sign-key", str(secret), str(solofile)]) == 0
    assert run(["verify", str(solofile)]) == 0
    assert "which is not known here" in capsys.readouterr().out
    assert run(["key", "trust", str(public), "--name", "The maker"]) == 0
    assert run(["verify", str(solofile)]) == 0
    assert "(The maker)." in capsys.readouterr().out
    for nonsense in ("nonsense", "nonsense" * 100):
        assert run(["verify", str(solofile), "--key", nonsense]) == 2
        assert "nonsense is no public key of minisign's, and no file." in capsys.readouterr().err


def test_damage_is_not_signed(solofile: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A signature over what is damaged would vouch for it."""
    solofile.write_bytes(b"?" + solofile.read_bytes()[1:])
    assert run(["key", "new", "--no-passphrase"]) == 0
    data = solofile.read_bytes()
    assert run(["sign", str(solofile)]) == 3
    assert "is damaged in launcher" in capsys.readouterr().err
    assert solofile.read_bytes() == data
    assert not solofile.with_name("chat.minisig").exists()
