"""Merging split models."""

from pathlib import Path

import gguf
import numpy as np
import pytest

from builder.gguf.facts import read_facts
from builder.gguf.merge import merge
from runtime.errors import DamagedFileError
from tests.builder.tiny_gguf import TENSORS, write_gguf, write_split_gguf

pytestmark = pytest.mark.usefixtures("own_cache")


@pytest.mark.parametrize("parts", [2, 3, 4])
def test_merged_holds_what_the_parts_hold(tmp_path: Path, parts: int) -> None:
    """Metadata and tensors are those of the model that was never split."""
    whole = gguf.GGUFReader(write_gguf(tmp_path / "whole.gguf"))
    merged_path = merge(write_split_gguf(tmp_path, parts=parts)).path
    merged = gguf.GGUFReader(merged_path)
    assert merged.alignment == whole.alignment
    assert [key for key in merged.fields if not key.startswith("GGUF.")] == [
        key for key in whole.fields if not key.startswith("GGUF.")
    ]
    for key in whole.fields:
        if not key.startswith("GGUF."):
            ours, theirs = merged.get_field(key), whole.get_field(key)
            assert ours is not None
            assert theirs is not None
            assert ours.contents() == theirs.contents()
    tensors = {tensor.name: tensor for tensor in merged.tensors}
    assert set(tensors) == set(TENSORS)
    for tensor in whole.tensors:
        assert np.array_equal(tensors[tensor.name].data, tensor.data)
        assert tensors[tensor.name].data_offset % merged.alignment == 0
    assert read_facts([merged_path], name="T").n_ctx_train == 512


def test_the_same_parts_merge_once(tmp_path: Path) -> None:
    """Parts with the same bytes, wherever they lie, give the file already there."""
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    first = merge(write_split_gguf(tmp_path / "a")).path
    written = first.stat().st_mtime_ns
    second = merge(write_split_gguf(tmp_path / "b")).path
    assert second == first
    assert second.stat().st_mtime_ns == written


def test_a_cut_part_leaves_nothing(tmp_path: Path, own_cache: Path) -> None:
    """A part cut short is told, and no merged file is left."""
    parts = write_split_gguf(tmp_path)
    parts[1].write_bytes(parts[1].read_bytes()[:-3000])
    with pytest.raises(DamagedFileError, match="cut short"):
        merge(parts)
    assert list((own_cache / "merged").iterdir()) == []
