"""A solofile that a patch was applied to in its place starts and answers as the new one does."""

import json
import shutil
from pathlib import Path

from builder.demo import demo_source
from builder.make import Order, make_solofile
from builder.patch.apply import apply_patch
from builder.patch.diff import make_patch
from builder.rebuild.order import RebuildOrder
from builder.rebuild.rebuild import rebuild
from builder.targets import host_target
from tests.solofile import run_solofile


def test_another_prompt_in_place(solofile: Path, tmp_path: Path) -> None:
    """A hundred megabytes get another prompt by a patch of kilobytes; both can be made again."""
    old, new, patch = (tmp_path / name for name in ("old", "new", "update.patch"))
    shutil.copy(solofile, old)
    make_solofile(
        Order(
            source=demo_source(),
            target=host_target(),
            output=new,
            name="Pirate",
            defaults={"system_prompt": "You are a pirate.", "predict": 8},
            is_smoke_tested=False,
        )
    )
    assert make_patch(old, new, patch).size < 30_000
    apply_patch(old, patch, None)
    assert old.read_bytes() == new.read_bytes()
    done = run_solofile(old, "run", "--json", "Say hello.")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[0])
    again = rebuild(RebuildOrder(old))
    assert (again.differences, again.taken) == ([], [])
