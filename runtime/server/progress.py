"""How far an answer has come, in llama-server's fields."""

from typing import Any

import msgspec

from runtime.server.answers import AnswerDelta
from runtime.server.timings import timings


class ShownProgress(msgspec.Struct, frozen=True):
    """What chunks of a stream tell beside the answer.

    Args:
        timings: Whether each tells what the request took so far.
        prompt: Whether there are chunks that tell how far the prompt is computed.
    """

    timings: bool
    prompt: bool

    def hides(self, delta: AnswerDelta) -> bool:
        """Say whether a delta makes no chunk."""
        return delta.num_prompt_computed is not None and not self.prompt

    def fields(self, delta: AnswerDelta) -> dict[str, Any]:
        """Return what a delta's chunk tells: `timings`, and of a prompt `prompt_progress`."""
        told: dict[str, Any] = {}
        stats = delta.stats
        if stats and self.timings:
            told["timings"] = timings(stats)
        if stats and delta.num_prompt_computed is not None:
            told["prompt_progress"] = {
                "total": stats.prompt_tokens,
                "cache": stats.cached_tokens,
                "processed": delta.num_prompt_computed,
                "time_ms": round(1e3 * stats.prompt_s),
            }
        return told
