"""Tests of the tree of token runs."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.engine.radix_tree import Node, RadixTree, common_prefix_length


def _tree(*sequences: list[int]) -> RadixTree:
    """Return a tree of sequences computed apart from each other, numbered in order."""
    tree = RadixTree()
    for seq_id, tokens in enumerate(sequences):
        tree.place(seq_id, None, 0)
        tree.extend(seq_id, tokens)
    return tree


def test_a_sequence_grows_in_its_own_node() -> None:
    """Cells that one sequence computes one by one stay one run."""
    tree = _tree([1, 2])
    tree.extend(0, [3])
    assert [node.tokens for node in tree.path(0)] == [[1, 2, 3]]


def test_sharing_splits_a_run_and_leaving_joins_it() -> None:
    """A run is cut in two where another sequence branches off, and is whole again without it."""
    tree = _tree([1, 2, 3, 4])
    tree.place(1, 0, 2)
    tree.extend(1, [9])
    assert [node.tokens for node in tree.path(0)] == [[3, 4], [1, 2]]
    assert tree.num_cells == 5
    tree.remove(1)
    assert [node.tokens for node in tree.path(0)] == [[1, 2, 3, 4]]
    assert tree.num_cells == 4


def test_what_was_computed_twice_is_matched_in_either_place() -> None:
    """Of two runs that begin alike, the one that goes on like the prompt is found."""
    tree = _tree([1, 2, 3], [1, 2, 4])
    assert tree.num_cells == 6
    match = tree.match([1, 2, 4, 5], whole=False)
    assert (match.length, match.node.seq_ids) == (3, {1})


def test_a_whole_match_ends_where_a_sequence_ends() -> None:
    """A place that a sequence has already passed is no match for memory that cannot be cut."""
    tree = _tree([1, 2, 3])
    tree.place(1, 0, 2)
    tree.extend(1, [4])
    assert tree.match([1, 2, 3, 5], whole=True).length == 3
    assert tree.match([1, 2, 5], whole=True).length == 0


@pytest.mark.parametrize(
    ("left", "right", "start", "length"),
    [
        ([], [1], 0, 0),
        ([1], [], 0, 0),
        ([1, 2], [1, 2, 3], 0, 2),
        ([2, 3, 9], [1, 2, 3], 1, 2),
        ([5], [1], 0, 0),
        ([5], [1], 3, 0),
    ],
)
def test_common_prefix_length(left: list[int], right: list[int], start: int, length: int) -> None:
    """Slices are compared from a position of the right side on."""
    assert common_prefix_length(left, right, start) == length


@given(st.integers(0, 2**32))
def test_the_tree_is_what_the_sequences_hold(seed: int) -> None:
    """After any sharing, growing, cutting and leaving, the tree holds those tokens and no more."""
    chance = random.Random(seed)
    tree = RadixTree()
    held: dict[int, list[int]] = {}
    for _ in range(30):
        seq_id = chance.randrange(5)
        match chance.randrange(4):
            case 0 if seq_id not in held:
                source = chance.choice([None, *held])
                length = chance.randint(0, len(held[source])) if source is not None else 0
                tree.place(seq_id, source, length)
                held[seq_id] = held[source][:length] if source is not None else []
            case 1 if seq_id in held:
                tokens = [chance.randrange(2) for _ in range(chance.randint(1, 4))]
                tree.extend(seq_id, tokens)
                held[seq_id] = held[seq_id] + tokens
            case 2 if seq_id in held:
                length = chance.randint(0, len(held[seq_id]))
                tree.place(seq_id, seq_id, length)
                held[seq_id] = held[seq_id][:length]
            case 3 if held.pop(seq_id, None) is not None:
                tree.remove(seq_id)
        assert {one: tree.tokens(one) for one in tree.ends} == held
        assert tree.num_cells == tree.num_held(held)
        _check_form(tree)
    prompt = [chance.randrange(2) for _ in range(10)]
    lengths = [common_prefix_length(tokens, prompt) for tokens in held.values()]
    match = tree.match(prompt, whole=False)
    assert match.length == max(lengths, default=0)
    if match.length:
        assert held[match.node.holder()][: match.length] == prompt[: match.length]


def _check_form(tree: RadixTree) -> None:
    """Every node is needed: some sequence ends there, or several go on from there."""
    pending: list[Node] = list(tree.roots.values())
    while pending:
        node = pending.pop()
        assert node.parent is None or node.seq_ids or len(node.children) > 1
        assert node.parent is None or node.tokens
        for child in node.children:
            assert child.parent is node
            assert child.start == node.end
            pending.append(child)
