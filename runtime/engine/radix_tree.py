"""The KV cache's cells as a tree of token runs: which sequence numbers hold which, each once."""

from collections.abc import Iterable
from collections.abc import Sequence as ReadOnlyList

import msgspec

from runtime.engine.adapters import NO_ADAPTERS, AdapterSet


class Node(msgspec.Struct, eq=False):
    """Consecutive cells that the same sequence numbers hold.

    Attributes:
        start: The position of the first token.
        tokens: One per cell.
        parent: The cells before it; None for the root, which has no tokens.
        children: What follows it, for different sequence numbers.
        seq_ids: The sequence numbers whose last cell is the last one here.
        last_used: When it was last handed out or given back, by the cache's clock.
        adapters: In a root: what the tokens below were computed with.
    """

    start: int = 0
    tokens: list[int] = []
    parent: "Node | None" = None
    children: list["Node"] = []
    seq_ids: set[int] = msgspec.field(default_factory=set)
    last_used: int = 0
    adapters: AdapterSet = NO_ADAPTERS

    @property
    def end(self) -> int:
        """The position after the last token."""
        return self.start + len(self.tokens)

    def holder(self) -> int:
        """Return a sequence number that holds these cells."""
        node = self
        while not node.seq_ids:
            node = node.children[0]
        return next(iter(node.seq_ids))


class Match(msgspec.Struct, frozen=True):
    """A prefix that lies in the cache: the first `length` tokens, of which `node` has the last."""

    node: Node
    length: int


class RadixTree:
    """Every sequence number's tokens, with the cells that several share counted once.

    Cells computed with different adapters differ for the same tokens, so each set of adapters has
    a root of its own. Two nodes beside each other may begin alike: they are what two sequences
    computed twice.
    """

    def __init__(self) -> None:
        self.roots = {NO_ADAPTERS: Node()}
        self.num_cells = 0
        self.ends: dict[int, Node] = {}

    def place(
        self,
        seq_id: int,
        source: int | None,
        length: int,
        adapters: AdapterSet = NO_ADAPTERS,
    ) -> None:
        """Let a new or known `seq_id` hold the first `length` cells of `source`, and no others.

        Without a source it holds none yet, and `adapters` are what its cells will be computed with.
        """
        node = self._root(adapters) if source is None else self.ends[source]
        while node.parent is not None and node.start >= length:
            node = node.parent
        node = self._split(node, length)
        old = self.ends.get(seq_id)
        if old is not node:
            if node.parent is None:
                self.roots[node.adapters] = node
            node.seq_ids.add(seq_id)
            self.ends[seq_id] = node
            if old is not None:
                old.seq_ids.remove(seq_id)
                self._prune(old)

    def extend(self, seq_id: int, tokens: ReadOnlyList[int]) -> None:
        """Add cells that a sequence number computed."""
        node = self.ends[seq_id]
        if node.parent is None or node.children or len(node.seq_ids) > 1:
            node.seq_ids.remove(seq_id)
            child = Node(node.end, parent=node, seq_ids={seq_id}, last_used=node.last_used)
            node.children.append(child)
            self.ends[seq_id] = node = child
        node.tokens.extend(tokens)
        self.num_cells += len(tokens)

    def remove(self, seq_id: int) -> None:
        """Forget a sequence number, and the cells that no other holds."""
        node = self.ends.pop(seq_id)
        node.seq_ids.remove(seq_id)
        self._prune(node)

    def path(self, seq_id: int) -> list[Node]:
        """Return the nodes a sequence number holds, the last one first, without the root."""
        nodes = []
        node = self.ends[seq_id]
        while node.parent is not None:
            nodes.append(node)
            node = node.parent
        return nodes

    def tokens(self, seq_id: int) -> list[int]:
        """Return the tokens a sequence number holds."""
        return [token for node in reversed(self.path(seq_id)) for token in node.tokens]

    def num_held(self, seq_ids: Iterable[int]) -> int:
        """Return how many cells some sequence numbers hold together."""
        nodes = {node for seq_id in seq_ids for node in self.path(seq_id)}
        return sum(len(node.tokens) for node in nodes)

    def adapters(self, seq_id: int) -> AdapterSet:
        """Return what a sequence number's cells were computed with."""
        node = self.ends[seq_id]
        while node.parent is not None:
            node = node.parent
        return node.adapters

    def match(self, tokens: list[int], adapters: AdapterSet = NO_ADAPTERS, *, whole: bool) -> Match:
        """Find the longest prefix of `tokens` there is.

        Args:
            tokens: Token ids.
            adapters: What the cells must have been computed with.
            whole: Only take what some sequence number holds without anything behind it.
        """
        root = self._root(adapters)
        best = Match(root, 0)
        pending = [root]
        while pending:
            for node in pending.pop().children:
                length = common_prefix_length(node.tokens, tokens, node.start)
                is_whole = length == len(node.tokens)
                is_usable = (is_whole and node.seq_ids) if whole else length > 0
                if is_usable and node.start + length > best.length:
                    best = Match(node, node.start + length)
                if is_whole:
                    pending.append(node)
        return best

    def _root(self, adapters: AdapterSet) -> Node:
        """Return the root of a set of adapters; a new one is kept once something holds it."""
        return self.roots.get(adapters) or Node(adapters=adapters)

    def _split(self, node: Node, length: int) -> Node:
        """Return a node that ends at `length`, which lies in `node` or at its end."""
        if length == node.end:
            return node
        assert node.parent is not None, "the root has nothing to split"
        count = length - node.start
        upper = Node(node.start, node.tokens[:count], node.parent, [node], set(), node.last_used)
        node.parent.children.remove(node)
        node.parent.children.append(upper)
        node.start, node.tokens, node.parent = length, node.tokens[count:], upper
        return upper

    def _prune(self, node: Node) -> None:
        """Drop nodes that nobody holds any more, and join one with its only child."""
        while node.parent is not None and not node.seq_ids and not node.children:
            node.parent.children.remove(node)
            self.num_cells -= len(node.tokens)
            node = node.parent
        if node.parent is None and node.adapters and not node.seq_ids and not node.children:
            del self.roots[node.adapters]
        if node.parent is not None and not node.seq_ids and len(node.children) == 1:
            child = node.children[0]
            child.start, child.tokens, child.parent = (
                node.start,
                node.tokens + child.tokens,
                node.parent,
            )
            node.parent.children.remove(node)
            node.parent.children.append(child)


def common_prefix_length(left: list[int], right: list[int], start: int = 0) -> int:
    """Return how many first items of `left` are those of `right` from `start` on.

    Compares whole slices, at C speed.
    """
    low, high = 0, min(len(left), len(right) - start)
    if high <= 0 or left[0] != right[start]:
        return 0
    while low < high:
        middle = (low + high + 1) // 2
        if left[low:middle] == right[start + low : start + middle]:
            low = middle
        else:
            high = middle - 1
    return low
