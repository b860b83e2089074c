"""Where two solofiles differ: one as it is, and one that was made again from its manifest."""

from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from runtime.container import MANIFEST_NAME, SIGNATURE_NAME, Container
from runtime.layout import layout_faults
from runtime.manifest import EntryFacts, Manifest, read_manifest
from runtime.sidecar import open_sidecar

_ALTERED = "its bytes were altered: by its own manifest it should be what was rebuilt"


class Difference(msgspec.Struct, frozen=True):
    """A part that is not the same in both, and why that may be."""

    part: str
    why: str


def differences(
    path: Path, rebuilt: Path, *, advance: Callable[[int], None] = lambda _: None
) -> list[Difference]:
    """Return the parts of a solofile that differ from those of the rebuilt one.

    Every byte of both is compared but a signature's, which only the owner of its key can make.

    Args:
        path: The solofile.
        rebuilt: The one made again.
        advance: Told the bytes of each chunk compared.

    Raises:
        DamagedFileError: A directory or a manifest makes no sense, or weights beside are missing.
    """
    with Container.open(path) as old, Container.open(rebuilt) as new:
        before, after = read_manifest(old), read_manifest(new)
        parts = _Parts(before, after)
        found = list(parts.launcher(old, new, advance))
        names = [name for name in new.entries if name != SIGNATURE_NAME]
        for name in names:
            found += parts.entry(name, old, new, advance)
        for name in old.entries.keys() - {*names, SIGNATURE_NAME}:
            found.append(Difference(name, "the rebuilt one has no such part"))
        if before.sidecar and after.sidecar:
            with open_sidecar(path, before.sidecar) as beside, _sidecar(rebuilt, after) as made:
                name = after.sidecar.weights.name
                found += parts.entry(name, beside, made, advance)
                if not found:
                    found += _layout(beside, made, 0)
        return found or list(_layout(old, new, before.launcher.size))


def _sidecar(path: Path, manifest: Manifest) -> Container:
    assert manifest.sidecar, "it was asked for"
    return open_sidecar(path, manifest.sidecar)


def _layout(old: Container, new: Container, start: int) -> Iterator[Difference]:
    """Say where what lies around equal parts differs."""
    names = list(new.entries)
    faults = layout_faults(old, start, [*names, SIGNATURE_NAME])
    places = [entry for entry in old.entries.values() if entry.name != SIGNATURE_NAME]
    if not faults and places != list(new.entries.values()):
        faults = ["the order or the places of the parts"]
    for fault in faults:
        yield Difference(fault, "it was altered, or another version of solofile wrote it")


class _Parts:
    """Compares part by part, and knows from both manifests why one may differ."""

    def __init__(self, before: Manifest, after: Manifest) -> None:
        self._before, self._after = before, after
        self._old, self._new = _facts(before), _facts(after)

    def launcher(
        self, old: Container, new: Container, advance: Callable[[int], None]
    ) -> Iterator[Difference]:
        before, after = self._before.launcher, self._after.launcher
        chunks = old.range(0, before.size), new.range(0, after.size)
        if not _are_equal(*chunks, advance):
            why = _ALTERED if before == after else self._other_kit()
            yield Difference("launcher", why)

    def entry(
        self, name: str, old: Container, new: Container, advance: Callable[[int], None]
    ) -> Iterator[Difference]:
        if name not in old.entries:
            yield Difference(name, f"{old.path} has no such part")
        elif not _are_equal(old.chunks(name), new.chunks(name), advance):
            yield Difference(name, self._why(name))

    def _why(self, name: str) -> str:
        if name == MANIFEST_NAME:
            return f"it differs in {', '.join(self._fields())}"
        before, after = self._old.get(name), self._new[name]
        if before and before.sha256 == after.sha256:
            return _ALTERED
        match after.role:
            case "runtime":
                return self._other_kit()
            case "weights":
                return self._other_weights()
            case "prompt":
                return (
                    "prompts computed on another kind of processor, or by another kit, differ by "
                    "rounding"
                )
            case "sbom":
                return "it follows from the other parts, and from SOURCE_DATE_EPOCH where that was"
        return "its origin has another one now"

    def _other_kit(self) -> str:
        before, after = (
            msgspec.structs.asdict(manifest.kit) for manifest in (self._before, self._after)
        )
        told = [
            f"{name} {before[name] or '(none)'}, here {after[name] or '(none)'}"
            for name in before
            if before[name] != after[name]
        ]
        if told:
            return f"the kit is another one: {'; '.join(told)}"
        return "the kit is another one of the same versions, made elsewhere or of changed sources"

    def _other_weights(self) -> str:
        before, after = self._before.origin, self._after.origin
        for old, new in zip(before.steps, after.steps, strict=False):
            if old.inputs != new.inputs:
                return "what went in is another file than the manifest tells of"
            if old.llama_cpp_commit != new.llama_cpp_commit:
                return f"llama.cpp {old.llama_cpp_commit} made it, and {new.llama_cpp_commit} here"
        if before.steps:
            return "the steps that the manifest tells of give other bytes here"
        return "its origin has another file than the manifest tells of"

    def _fields(self) -> Iterator[str]:
        for name in Manifest.__struct_fields__:
            if getattr(self._before, name) != getattr(self._after, name):
                yield name


def _facts(manifest: Manifest) -> dict[str, EntryFacts]:
    beside = [manifest.sidecar.weights] if manifest.sidecar else []
    return {facts.name: facts for facts in [*manifest.entries, *beside]}


def _are_equal(old: Iterator[bytes], new: Iterator[bytes], advance: Callable[[int], None]) -> bool:
    # Both come in chunks of the same size, up to the last.
    while True:
        one, other = next(old, b""), next(new, b"")
        if one != other:
            return False
        if not one:
            return True
        advance(len(one))
