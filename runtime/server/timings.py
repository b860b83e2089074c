"""What one request took, as answers tell it: llama-server's `timings`, and two of our own."""

from runtime.engine.sequence import Stats


def timings(stats: Stats) -> dict[str, float]:
    """Return counts, milliseconds, and tokens per second."""
    prompt_n = stats.prompt_tokens - stats.cached_tokens
    # The first token comes with the prompt; the rates are those of the ones after it.
    num_steps = max(0, stats.completion_tokens - 1)
    shown = {
        "cache_n": stats.cached_tokens,
        "prompt_n": prompt_n,
        "prompt_ms": stats.prompt_s * 1e3,
        "prompt_per_token_ms": _ratio(stats.prompt_s * 1e3, prompt_n),
        "prompt_per_second": _ratio(prompt_n, stats.prompt_s),
        "predicted_n": stats.completion_tokens,
        "predicted_ms": stats.generation_s * 1e3,
        "predicted_per_token_ms": _ratio(stats.generation_s * 1e3, num_steps),
        "predicted_per_second": _ratio(num_steps, stats.generation_s),
        "queue_ms": stats.queue_s * 1e3,
        "time_to_first_token_ms": stats.time_to_first_token_s * 1e3,
    }
    if stats.drafted_tokens:
        shown |= {"draft_n": stats.drafted_tokens, "draft_n_accepted": stats.accepted_tokens}
    return shown


def _ratio(value: float, divisor: float) -> float:
    return value / divisor if divisor else 0.0
