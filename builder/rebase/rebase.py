"""From a solofile to the one it is to be: plan it, write what changes, see that it answers."""

import stat
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec

from builder import console
from builder.bake.baked import BakedPrompt
from builder.change.in_place import changed_in_place, held, num_changed_bytes, recover
from builder.change.new_file import can_clone, write_pieces
from builder.change.plan import Plan
from builder.file_range import FileRange
from builder.files import atomic_path, require_space
from builder.output_path import output_path
from builder.pack import write_entries
from builder.rebase.base import Base, read_base
from builder.rebase.contents import rebased_contents
from builder.rebase.order import RebaseOrder
from builder.rebase.report import Method, RebaseReport
from builder.sign.sign import write_detached
from builder.smoke import EMBED, RUN, SmokeTest, tested
from builder.targets import Target, find_target
from runtime.container import MANIFEST_NAME
from runtime.errors import UnsupportedError, UsageError
from runtime.manifest import Manifest
from runtime.user_folders import user_cache_dir
from runtime.verify import judge


@dataclass(frozen=True, slots=True)
class _Change:
    """What is to be written, and where.

    Args:
        base: The solofile there is.
        plan: The new one.
        manifest: Its manifest.
        prompts: The prompts that are computed in it.
        output: Where it goes.
    """

    base: Base
    plan: Plan
    manifest: Manifest
    prompts: list[BakedPrompt]
    output: Path


def rebase(order: RebaseOrder) -> RebaseReport:
    """Make a solofile what is asked for; the old one stands until the new one has passed its test.

    Raises:
        AppError: Whatever failed, as one sentence.
    """
    started = time.monotonic()
    path = order.solofile.resolve()
    with ExitStack() as stack:
        stack.enter_context(held(path))
        if order.signer:
            _require_sound(path)
        base = read_base(path)
        target = order.target or find_target(base.manifest.kit.target)
        output = _output(order, base, target)
        scratch = stack.enter_context(_scratch_folder())
        change = _planned(base, order, target, output, scratch)
        method = _method(change, order)

        def test(new: Path) -> SmokeTest | None:
            command = EMBED if base.manifest.model.pooling else RUN
            return tested(new, target, command) if order.is_smoke_tested else None

        found, written = _write(change, method, test)
        notes = _tidied(change, order) if method != "unchanged" else []
    manifest = change.manifest
    return RebaseReport(
        path=str(order.solofile if output == path else output),
        method=method,
        size=change.plan.size,
        written=written,
        changed=_changed_parts(base.manifest, manifest) if method != "unchanged" else [],
        prompts=change.prompts,
        notes=notes,
        target=manifest.kit.target,
        solofile=manifest.kit.solofile,
        seconds=round(time.monotonic() - started, 2),
        start_seconds=round(found.start_s, 2) if found else None,
        answer=found.answer if found else None,
    )


def _planned(
    base: Base, order: RebaseOrder, target: Target, output: Path, scratch: Path
) -> _Change:
    contents = rebased_contents(base, order, target, scratch)
    sidecar = base.manifest.sidecar
    if sidecar:  # It may have been renamed with the solofile.
        sidecar = msgspec.structs.replace(sidecar, name=base.fetched.files[0].path.name)
    plan = Plan()
    manifest = write_entries(plan, contents, sidecar)
    if 0 < target.max_file_bytes < plan.size:
        raise UnsupportedError(
            f"The solofile would have {console.human_bytes(plan.size)}, and {target.name} starts "
            f"no file over {console.human_bytes(target.max_file_bytes)}.",
            hint="Make it with `build`, which lays the weights beside it.",
        )
    prompts = [BakedPrompt.read(prompt) for prompt in contents.prompts]
    return _Change(base, plan, manifest, prompts, output)


def _require_sound(path: Path) -> None:
    with console.progress(f"Checking {path.name}", path.stat().st_size) as advance:
        verdict = judge(path, advance=advance)
    verdict.require_sound()


@contextmanager
def _scratch_folder() -> Iterator[Path]:
    cache = user_cache_dir()
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache, prefix="rebase-") as folder:
        yield Path(folder)


def _output(order: RebaseOrder, base: Base, target: Target) -> Path:
    suffix = target.executable_suffix
    if order.output is None:
        if suffix and base.path.suffix != suffix:
            raise UsageError(
                f"On {target.name} the name of a program ends in {suffix}.",
                hint=f"Name the new file with -o NAME{suffix}.",
            )
        return base.path
    output = output_path(order.output, base.path.name, target, tells_target=False).resolve()
    if base.manifest.sidecar and output.parent != base.path.parent:
        raise UsageError(
            f"The weights of {base.path} lie beside it, so the new file belongs there, too.",
            hint=f"Name one in {base.path.parent}.",
        )
    recover(output)
    return output


def _method(change: _Change, order: RebaseOrder) -> Method:
    """Return how the new file is written; where that takes long, it is said."""
    base, is_same_file = change.base, change.output == change.base.path
    if is_same_file and change.manifest == base.manifest and not order.signer:
        return "unchanged"
    if can_clone(base.path) and change.output.parent.stat().st_dev == base.path.stat().st_dev:
        return "cloned"
    if not is_same_file:
        return "copied"
    weights = FileRange.of(base.fetched.files[0].data)
    if base.manifest.sidecar or any(
        one.size == weights.size and one.stays_in(base.path) for one in change.plan.pieces
    ):
        return "in place"
    console.info("Its weights have to move behind the launcher, so all of it is written anew.")
    return "copied"


def _write(
    change: _Change, method: Method, test: Callable[[Path], SmokeTest | None]
) -> tuple[SmokeTest | None, int]:
    """Write the new file, test it, and only then give up the old one.

    Returns:
        What the test found, and how many bytes were written.
    """
    path, pieces, size = change.base.path, change.plan.pieces, change.plan.size
    if method == "unchanged":
        return None, 0
    if method == "in place":
        size = num_changed_bytes(path, pieces)
        with ExitStack() as stack:
            with console.progress("Writing", size) as advance:
                stack.enter_context(changed_in_place(path, pieces, advance=advance))
            return test(path), size
    if method == "cloned":
        size = sum(one.size for one in pieces if not (one.is_of(path) or one.is_blank))
    require_space(change.output.parent, size, purpose="the solofile")
    is_same_file = change.output == path
    mode = stat.S_IMODE(path.stat().st_mode) if is_same_file else 0o755
    with atomic_path(change.output, mode=mode) as part:
        with console.progress("Writing", change.plan.size) as advance:
            write_pieces(pieces, part, advance=advance)
        part.chmod(0o755)
        return test(part), size


def _tidied(change: _Change, order: RebaseOrder) -> list[str]:
    """Sign the new file beside it, or remove a signature that was over the old one.

    Returns:
        Sentences on what is not as it was.
    """
    base, output = change.base, change.output
    notes = []
    if order.signer:
        with console.progress("Signing", output.stat().st_size) as advance:
            write_detached(output, order.signer, advance=advance)
    else:
        if base.is_signed:
            notes.append("It is not signed any more; `sign` does it anew.")
        beside = output.with_name(f"{output.name}.minisig")
        if beside.exists():
            beside.unlink()
            notes.append(f"{beside} was the old file's signature and is removed.")
    if base.kit.target.startswith("windows-") and not order.has_new_kit:
        notes.append("What Explorer shows of it is as it was; --kit makes it anew.")
    return notes


def _changed_parts(old: Manifest, new: Manifest) -> list[str]:
    """Return the parts of a solofile that are others now, or new, or gone."""
    before = {facts.name: facts.sha256 for facts in old.entries}
    now = {facts.name: facts.sha256 for facts in new.entries}
    names = [name for name in now if before.get(name) != now[name]]
    names += [f"{name}, which is left out" for name in before if name not in now]
    launcher = ["launcher"] if old.launcher != new.launcher else []
    return [*launcher, *names, *([MANIFEST_NAME] if old != new else [])]
