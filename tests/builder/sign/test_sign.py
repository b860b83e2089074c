"""Signatures inside solofiles and beside them: who made a file, and that nothing of it changed."""

import subprocess
import zipfile
import zlib
from dataclasses import replace
from pathlib import Path

import pytest

from builder.kit.kit import Kit
from builder.pack import write_solofile
from builder.sign.secret_key import SecretKey
from builder.sign.sign import embed_signature, write_detached
from runtime.container import MANIFEST_NAME, SIGNATURE_NAME, Container
from runtime.errors import UsageError
from runtime.keys import read_public_key
from runtime.minisign import PublicKey, digest_of, parse_signature
from runtime.seal import UNTRUSTED_COMMENT, is_readable
from runtime.verify import judge, verify
from runtime.zip_records import Entry, directory_and_end
from tests.builder.contents import contents_of
from tests.builder.sign.minisign_program import minisign
from tests.builder.tiny_gguf import write_gguf
from tests.builder.tiny_kit import make_tiny_kit

KEY, OTHER = SecretKey.new(), SecretKey.new()


@pytest.fixture
def plain(tiny_kit: Kit, tmp_path: Path) -> Path:
    """A small solofile without a signature."""
    contents = contents_of(tiny_kit, write_gguf(tmp_path / "model.gguf"))
    write_solofile(contents, tmp_path / "chat")
    return tmp_path / "chat"


@pytest.fixture
def signed(plain: Path) -> Path:
    """The same, signed by `KEY`."""
    embed_signature(plain, KEY)
    return plain


def test_signed_while_packing(tiny_kit: Kit, tmp_path: Path) -> None:
    """It is the same file as one that was signed afterwards, and the same each time."""
    contents = contents_of(tiny_kit, write_gguf(tmp_path / "model.gguf"))
    write_solofile(replace(contents, signer=KEY), tmp_path / "one")
    write_solofile(contents, tmp_path / "two")
    embed_signature(tmp_path / "two", KEY)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    assert zipfile.ZipFile(tmp_path / "one").testzip() is None


def test_only_the_right_key_will_do(signed: Path, own_home: Path) -> None:
    """The key that signed says so; another is told apart; without one nothing is claimed."""
    verdict = judge(signed, key=KEY.public)
    assert verdict.is_sound
    assert verdict.signature
    assert (verdict.signature.is_valid, verdict.signature.key) == (True, KEY.public.number)
    assert f"signed by key {KEY.public.number}" in verdict.sentence
    other = judge(signed, key=OTHER.public)
    assert not other.is_sound
    assert f"not signed by key {OTHER.public.number}" in other.problem
    unknown = judge(signed)
    assert unknown.is_sound
    assert "is not known here" in unknown.sentence


def test_not_signed_at_all(plain: Path, own_home: Path) -> None:
    """Without a signature a file is sound, but not what a key was asked to vouch for."""
    assert judge(plain).sentence == f"{plain} is sound."
    assert judge(plain, key=KEY.public).problem == f"{plain} is not signed."


def test_a_key_of_the_same_number(signed: Path) -> None:
    """A forger who takes another's number for their own key is found out."""
    forger = SecretKey(KEY.id, OTHER.key)
    embed_signature(signed, forger)
    assert verify(signed) == []
    assert judge(signed, key=KEY.public).wrong == ["the signature"]
    assert judge(signed, key=forger.public).is_sound


def test_signing_again_takes_the_place(signed: Path) -> None:
    """The signature before goes, and nothing of it is left."""
    size = signed.stat().st_size
    embed_signature(signed, OTHER)
    assert signed.stat().st_size == size
    assert judge(signed, key=OTHER.public).is_sound
    embed_signature(signed, KEY)
    assert judge(signed, key=KEY.public).is_sound


def replaced(path: Path, name: str, data: bytes) -> None:
    """Put other bytes of the same length into an entry, with checksums that fit them."""
    with Container.open(path) as container:
        entries = list(container.entries.values())
        old = container.entry(name)
        assert old.size == len(data)
    new = Entry(name, old.header_offset, old.size, zlib.crc32(data))
    entries[entries.index(old)] = new
    content = bytearray(path.read_bytes())
    content[old.header_offset : old.end] = new.local_header() + data
    end = directory_and_end(entries, entries[-1].end)
    path.write_bytes(content[: entries[-1].end] + end)


def test_a_forged_manifest(signed: Path) -> None:
    """A manifest with another claim passes all checksums, and not the signature."""
    with Container.open(signed) as container:
        manifest = container.read(MANIFEST_NAME)
    replaced(signed, MANIFEST_NAME, manifest.replace(b'"Model"', b'"Mogul"'))
    assert verify(signed) == []
    verdict = judge(signed, key=KEY.public)
    assert verdict.wrong == ["the signature"]


def test_every_altered_byte_of_the_signature(signed: Path, tmp_path: Path) -> None:
    """With checksums that fit, still no byte of it can be another, the comments' neither."""
    with Container.open(signed) as container:
        text = container.read(SIGNATURE_NAME)
    altered = tmp_path / "altered"
    for place in range(len(text)):
        altered.write_bytes(signed.read_bytes())
        changed = text[:place] + bytes([text[place] ^ 1]) + text[place + 1 :]
        replaced(altered, SIGNATURE_NAME, changed)
        assert not judge(altered, key=KEY.public).is_sound, f"byte {place}"


def test_every_flip_near_the_signature(signed: Path, tmp_path: Path) -> None:
    """Without fitting checksums, the part is named."""
    data = signed.read_bytes()
    with Container.open(signed) as container:
        entry = container.entry(SIGNATURE_NAME)
    names = {entry.header_offset: f"the header of {SIGNATURE_NAME}", entry.offset: SIGNATURE_NAME}
    for start, end in ((entry.header_offset, entry.offset), (entry.offset, entry.end)):
        for place in range(start, end, 7):
            changed = bytearray(data)
            changed[place] ^= 4
            (tmp_path / "altered").write_bytes(changed)
            assert verify(tmp_path / "altered") == [names[start]]


def test_what_is_embedded_is_minisigns(signed: Path) -> None:
    """Ours reads it, and its second comment is that which minisign would have written."""
    with Container.open(signed) as container:
        assert is_readable(container)
        signature = parse_signature(container.read(SIGNATURE_NAME))
    assert signature
    assert signature.untrusted == UNTRUSTED_COMMENT
    assert signature.comment == f"file:{MANIFEST_NAME}\thashed"


def test_the_stock_program_checks_both(signed: Path, tmp_path: Path) -> None:
    """It accepts the signature over the manifest, taken out, and the one beside the file."""
    with zipfile.ZipFile(signed) as archive:
        archive.extractall(tmp_path / "out", [MANIFEST_NAME, SIGNATURE_NAME])
    key = KEY.public.line
    done = minisign("-V", "-m", tmp_path / "out" / MANIFEST_NAME, "-P", key)
    assert done.returncode == 0, done.stderr
    told: list[int] = []
    beside = write_detached(signed, KEY, advance=told.append)
    assert (beside.name, sum(told)) == ("chat.minisig", signed.stat().st_size)
    done = minisign("-V", "-m", signed, "-P", key)
    assert done.returncode == 0, done.stderr
    with signed.open("ab") as file:
        file.write(b"x")
    assert minisign("-V", "-m", signed, "-P", key).returncode != 0
    assert minisign("-V", "-m", signed, "-P", OTHER.public.line).returncode != 0


def test_what_the_stock_program_signed_is_read(tmp_path: Path) -> None:
    """Its signatures and public keys are what ours are."""
    message, public = tmp_path / "message", tmp_path / "maker.pub"
    message.write_bytes(b"A message.")
    minisign("-G", "-W", "-p", public, "-s", tmp_path / "maker.key")
    minisign("-S", "-m", message, "-s", tmp_path / "maker.key")
    signature = parse_signature((tmp_path / "message.minisig").read_bytes())
    assert signature
    key = read_public_key(public)
    assert signature.is_by(key, digest_of(b"A message."))
    assert not signature.is_by(key, digest_of(b"Another message."))
    assert not signature.is_by(PublicKey(key.id, OTHER.public.key), digest_of(b"A message."))


def test_a_solofile_that_runs_is_not_signed(tmp_path: Path) -> None:
    """The system does not let it be written, and it stays as it is."""
    sleep = Path("/bin/sleep")
    if not sleep.is_file():
        pytest.skip("there is no program to copy")
    (tmp_path / "sleeping").mkdir()
    kit = make_tiny_kit(tmp_path / "sleeping", launcher=sleep.read_bytes())
    path = tmp_path / "chat"
    write_solofile(contents_of(kit, write_gguf(tmp_path / "model.gguf")), path)
    path.chmod(0o755)
    data = path.read_bytes()
    with subprocess.Popen([path, "30"]) as process:
        try:
            with pytest.raises(UsageError, match="chat runs at this moment"):
                embed_signature(path, KEY)
        finally:
            process.kill()
    assert path.read_bytes() == data
