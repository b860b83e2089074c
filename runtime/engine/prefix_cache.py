"""The sequences of the KV cache: who holds which, and what finished ones can be reused for."""

import msgspec

from runtime.engine.adapters import NO_ADAPTERS, AdapterSet
from runtime.engine.anchors import Anchors
from runtime.engine.image_span import Images, before_image
from runtime.engine.pins import Pin, Pins
from runtime.engine.radix_tree import Match, RadixTree, common_prefix_length
from runtime.engine.types import Runner


class Lease(msgspec.Struct, frozen=True):
    """A sequence number handed out, and how many of its first tokens are already computed."""

    seq_id: int
    num_cached_tokens: int


class PrefixCache:
    """Sequence numbers and the cells they hold; the least recently used give way.

    A number is free, or leased to a running request, or keeps what a finished one computed. Where
    memory can be cut, only as much of it goes as is needed, from the end of the branch that was
    used least recently; elsewhere whole sequences go.

    A pinned prompt that is computed gets a number of its own, its anchor, which goes last: when
    there is nothing else to give up, and one request needs all that is left.
    """

    def __init__(self, runner: Runner, pins: Pins | None = None) -> None:
        self._runner = runner
        self._pins = pins or Pins()
        self._anchors = Anchors(self._pins)
        self._tree = RadixTree()
        self._free_ids = list(range(runner.n_seq_max))
        self._leased: set[int] = set()
        self._clock = 0
        self.num_evictions = 0

    @property
    def num_finished(self) -> int:
        """How many finished sequences are kept."""
        return len(self._tree.ends) - len(self._leased)

    @property
    def num_cells(self) -> int:
        """How many cells are in use, shared ones counted once."""
        return self._tree.num_cells

    @property
    def num_leased_cells(self) -> int:
        """How many cells running requests hold, shared ones counted once."""
        return self._tree.num_held(self._leased)

    @property
    def num_kept_cells(self) -> int:
        """How many cells running requests and pinned prompts hold, shared ones counted once."""
        return self._tree.num_held(self._leased | self._anchors.seq_ids())

    def pinned_length(self, prompt: list[int], adapters: AdapterSet = NO_ADAPTERS) -> int:
        """Return how much of a prompt a pinned one has in memory."""
        return max(
            (
                common_prefix_length(self._tree.tokens(seq_id), prompt)
                for seq_id in self._anchors.seq_ids()
                if self._tree.adapters(seq_id) == adapters
            ),
            default=0,
        )

    def match_length(
        self, prompt: list[int], adapters: AdapterSet = NO_ADAPTERS, images: Images = ()
    ) -> int:
        """Return how much of a prompt `acquire` would find."""
        return self._match(prompt, adapters, images).length

    def acquire(
        self, prompt: list[int], adapters: AdapterSet = NO_ADAPTERS, images: Images = ()
    ) -> Lease | None:
        """Hand out a sequence number with as much of `prompt` computed as can be found.

        Only what was computed with the same adapters is found, and of images only whole ones.

        At least one token is left to compute, whose logits the first sample needs.

        Returns:
            None where every number is in use.
        """
        match = self._match(prompt, adapters, images)
        seq_id = self._finished_at(match)
        if seq_id is None:
            seq_id = self._share(match, adapters)
        if seq_id is None:
            return None
        self._leased.add(seq_id)
        self._touch(seq_id)
        return Lease(seq_id, match.length)

    def extend(self, seq_id: int, tokens: list[int]) -> None:
        """Note what a leased sequence number has computed."""
        self._tree.extend(seq_id, tokens)
        if not self._runner.can_cut_memory:
            # It is here only now.
            self._anchor_pins()

    def next_pin(self, prompt: list[int], num_computed: int, adapters: AdapterSet) -> int | None:
        """Return where a prompt has to pause, so that a pinned beginning of it can be kept.

        Where memory can be cut, nowhere: it can be shared from there at any time.
        """
        if self._runner.can_cut_memory:
            return None
        ends = (
            len(pin.tokens)
            for pin in self._anchors.missing()
            if num_computed < len(pin.tokens) < len(prompt)
            and pin.adapters == adapters
            and prompt[: len(pin.tokens)] == pin.tokens
        )
        return min(ends, default=None)

    def drop_rest(self, seq_id: int) -> None:
        """Drop the cells of a leased sequence number that `extend` was not told of."""
        self._runner.cut(seq_id, self._tree.ends[seq_id].end)

    def shorten(self, seq_id: int, length: int) -> int:
        """Free the cells of a leased sequence number from position `length` on.

        Returns:
            How many it still has: none where memory cannot be cut.
        """
        kept = length if self._runner.can_cut_memory else 0
        self._cut(seq_id, kept)
        return kept

    def release(self, seq_id: int) -> None:
        """Keep what a request computed that is done, where nothing else has it."""
        self._leased.remove(seq_id)
        self._touch(seq_id)
        tokens = self._tree.tokens(seq_id)
        adapters = self._tree.adapters(seq_id)
        others = {
            other: self._tree.tokens(other)
            for other in self._tree.ends
            if other != seq_id and self._tree.adapters(other) == adapters
        }
        if not tokens or any(self._can_replace(other, tokens) for other in others.values()):
            self._drop(seq_id)
            others.clear()
        kept = self._leased | self._anchors.seq_ids()
        for other, other_tokens in others.items():
            if other not in kept and self._can_replace(tokens, other_tokens):
                self._drop(other)
        self._anchor_pins()

    def finished(self) -> list[tuple[int, list[int]]]:
        """Return the kept sequences without adapters and their tokens, the last used first."""
        kept = sorted(
            self._tree.ends.keys() - self._leased,
            key=lambda seq_id: self._tree.ends[seq_id].last_used,
            reverse=True,
        )
        return [
            (seq_id, self._tree.tokens(seq_id))
            for seq_id in kept
            if not self._tree.adapters(seq_id)
        ]

    def can_restore(self, num_tokens: int) -> bool:
        """Say whether a sequence of this length finds room beside the running ones."""
        has_number = bool(self._free_ids) or self.num_finished > 0
        # Pinned prompts give way where nothing else runs.
        held = self.num_kept_cells if self._leased else 0
        return has_number and held + num_tokens <= self._runner.n_ctx

    def restore(
        self, tokens: list[int], state: memoryview, length: int, *, is_baked: bool = False
    ) -> bool:
        """Put a saved sequence in, as if its request had just finished.

        Args:
            tokens: What the state was computed from; `can_restore` said there is room.
            state: From `Runner.save_state`.
            length: How much of it to keep, where memory can be cut.
            is_baked: Whether to keep all of it, and pin it.

        Returns:
            Whether the runner took it.
        """
        if is_baked:
            self._pins.keep_baked(tokens, self._runner.n_ctx)
            length = len(tokens)
        while self._runner.n_ctx - self.num_cells < len(tokens):
            self.evict(len(tokens), pinned=True)
        if not self._free_ids:
            oldest = self._least_recent(pinned=True)
            assert oldest is not None, "can_restore said there is a number"
            self._drop(oldest)
        seq_id = self._free_ids.pop()
        if not self._runner.load_state(seq_id, state):
            self._free_ids.append(seq_id)
            return False
        self._tree.place(seq_id, None, 0)
        self._tree.extend(seq_id, tokens)
        if length < len(tokens):
            self._cut(seq_id, length)
        self._touch(seq_id)
        self._anchor_pins()
        return True

    def discard(self, seq_id: int) -> None:
        """Free the cells of a request that failed, and its number."""
        self._leased.remove(seq_id)
        self._drop(seq_id)

    def evict(self, num_cells: int, *, pinned: bool = False) -> bool:
        """Free up to `num_cells` cells of finished sequences; says whether there were any.

        Args:
            num_cells: How many are needed.
            pinned: Whether those of pinned prompts may go, where there are no others.
        """
        seq_id = self._least_recent(pinned=pinned)
        if seq_id is None:
            return False
        self.num_evictions += 1
        node = self._tree.ends[seq_id]
        kept = max(node.start, node.end - num_cells)
        if kept == 0 or not self._runner.can_cut_memory:
            self._drop(seq_id)
            return True
        self._cut(seq_id, kept)
        node = self._tree.ends[seq_id]
        if node.children or len(node.seq_ids) > 1:
            self._drop(seq_id)
        return True

    def _match(self, prompt: list[int], adapters: AdapterSet, images: Images) -> Match:
        whole = not self._runner.can_cut_memory
        match = self._tree.match(prompt[:-1], adapters, whole=whole)
        return Match(match.node, before_image(images, match.length)) if images else match

    def _finished_at(self, match: Match) -> int | None:
        """Return a finished sequence that ends with the match: it simply goes on."""
        if match.length != match.node.end:
            return None
        return next(iter(match.node.seq_ids - self._leased - self._anchors.seq_ids()), None)

    def _share(self, match: Match, adapters: AdapterSet) -> int | None:
        """Return a number that holds the matched cells together with those that have them."""
        source = match.node.holder() if match.length else None
        if not self._free_ids and not self._free_number(keep=source):
            if source is None or source in self._leased:
                return None
            self.num_evictions += 1
            self._anchors.give_up(source)
            if self._tree.ends[source].end > match.length:
                self._cut(source, match.length)
            return source
        seq_id = self._free_ids.pop()
        if source is not None:
            self._runner.copy_prefix(source, seq_id, match.length)
        self._tree.place(seq_id, source, match.length, adapters)
        return seq_id

    def _free_number(self, *, keep: int | None) -> bool:
        """Give up the finished sequence that was used least recently, a pinned one last."""
        evicted = self._least_recent(keep=keep, pinned=True)
        if evicted is None:
            return False
        self.num_evictions += 1
        self._drop(evicted)
        return True

    def _least_recent(self, *, keep: int | None = None, pinned: bool = False) -> int | None:
        """Return the finished sequence whose last cells were not used for longest.

        Args:
            keep: One that is not to be told.
            pinned: Whether to tell one that holds a pinned prompt, where there are no others.
        """
        finished = self._tree.ends.keys() - self._leased - {keep}
        anchored = self._anchors.seq_ids()
        choice = finished - anchored or (finished if pinned else set())
        return min(choice, key=lambda one: self._tree.ends[one].last_used, default=None)

    def _anchor_pins(self) -> None:
        """Give pinned prompts that are computed a number of their own, where there is one."""
        for pin in self._anchors.missing():
            match = self._tree.match(
                pin.tokens, pin.adapters, whole=not self._runner.can_cut_memory
            )
            if match.length == len(pin.tokens):
                self._anchor(pin, match)

    def _anchor(self, pin: Pin, match: Match) -> None:
        seq_id = self._finished_at(match)
        if seq_id is None:
            source = match.node.holder()
            if not self._free_ids:
                oldest = self._least_recent(keep=source)
                if oldest is None:
                    return
                self.num_evictions += 1
                self._drop(oldest)
            seq_id = self._free_ids.pop()
            self._runner.copy_prefix(source, seq_id, match.length)
            self._tree.place(seq_id, source, match.length, pin.adapters)
        self._touch(seq_id)
        self._anchors.put(pin, seq_id)

    def _can_replace(self, longer: list[int], shorter: list[int]) -> bool:
        """Say whether a sequence of tokens serves whatever another would."""
        if self._runner.can_cut_memory:
            return longer[: len(shorter)] == shorter
        return longer == shorter

    def _touch(self, seq_id: int) -> None:
        self._clock += 1
        for node in self._tree.path(seq_id):
            node.last_used = self._clock

    def _cut(self, seq_id: int, length: int) -> None:
        self._anchors.give_up(seq_id)
        self._runner.cut(seq_id, length)
        self._tree.place(seq_id, seq_id, length)

    def _drop(self, seq_id: int) -> None:
        self._anchors.give_up(seq_id)
        self._runner.cut(seq_id, 0)
        self._tree.remove(seq_id)
        self._free_ids.append(seq_id)
