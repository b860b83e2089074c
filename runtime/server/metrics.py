"""`GET /metrics`: the engine's counters in Prometheus' text format."""

from starlette.requests import Request
from starlette.responses import Response

from runtime.engine.metrics import Histogram, Metrics
from runtime.server.dialects.tgi.metrics import tgi_metrics_text
from runtime.server.errors import LoadingError
from runtime.server.prometheus import head, histogram, metric
from runtime.server.state import state_of

CONTENT_TYPE = "text/plain; version=0.0.4"


async def metrics(request: Request) -> Response:
    """Answer `GET /metrics`."""
    engine = state_of(request).engine
    if not engine.is_ready:
        raise LoadingError
    return Response(metrics_text(engine.metrics), media_type=CONTENT_TYPE)


def metrics_text(now: Metrics) -> str:
    """Return everything by llama-server's names, our own, and text-generation-inference's."""
    return "".join(
        [
            *(metric("llamacpp:", "counter", *item) for item in _llamacpp_counters(now)),
            *(metric("llamacpp:", "gauge", *item) for item in _llamacpp_gauges(now)),
            *(metric("solofile:", "counter", *item) for item in _own_counters(now)),
            *(metric("solofile:", "gauge", *item) for item in _own_gauges(now)),
            _finished(now),
            *(histogram("solofile:", *item) for item in _own_histograms(now)),
            tgi_metrics_text(now),
        ]
    )


_Item = tuple[str, str, float]


def _llamacpp_counters(now: Metrics) -> list[_Item]:
    return [
        ("prompt_tokens_total", "Prompt tokens computed", now.prompt_tokens),
        (
            "prompt_tokens_cached_total",
            "Prompt tokens found in the prefix cache",
            now.cached_prompt_tokens,
        ),
        ("prompt_seconds_total", "Time of batches with prompt tokens", now.prompt_s),
        ("tokens_predicted_total", "Tokens generated", now.generated_tokens),
        ("tokens_predicted_seconds_total", "Time of batches with generated tokens", now.decode_s),
        ("n_decode_total", "Batches computed", now.batch_tokens.count),
        ("n_tokens_max", "Most tokens of one request, prompt and answer", now.longest_sequence),
    ]


def _llamacpp_gauges(now: Metrics) -> list[_Item]:
    per_batch = now.num_batch_sequences / max(1, now.batch_tokens.count)
    return [
        ("prompt_tokens_seconds", "Prompt tokens a second", _rate(now.prompt_tokens, now.prompt_s)),
        (
            "predicted_tokens_seconds",
            "Generated tokens a second, of all requests together",
            _rate(now.decoded_tokens, now.decode_s),
        ),
        ("requests_processing", "Requests that are worked on", now.num_running),
        ("requests_deferred", "Requests that wait for their turn", now.num_waiting),
        ("n_busy_slots_per_decode", "Requests in a batch, on average", per_batch),
    ]


def _own_counters(now: Metrics) -> list[_Item]:
    return [
        ("preemptions_total", "Requests put back to wait for cells", now.num_preemptions),
        ("cache_evictions_total", "Finished sequences that lost cells", now.num_evictions),
    ]


def _own_gauges(now: Metrics) -> list[_Item]:
    return [
        ("cells", "Cells of the KV cache", now.num_cells),
        ("cells_used", "Cells in use, by requests and the prefix cache", now.num_cells_used),
        ("cells_running", "Cells that running requests hold", now.num_cells_running),
        ("cached_sequences", "Finished sequences in the prefix cache", now.num_cached_sequences),
    ]


def _own_histograms(now: Metrics) -> list[tuple[str, str, Histogram]]:
    return [
        ("queue_seconds", "Time until a request's first batch", now.queue_s),
        (
            "time_to_first_token_seconds",
            "Time from a request's arrival to its first token",
            now.time_to_first_token_s,
        ),
        ("batch_tokens", "Tokens in a batch", now.batch_tokens),
    ]


def _finished(now: Metrics) -> str:
    lines = head("solofile:requests_finished_total", "counter", "Requests that have ended")
    for reason in sorted({"stop", "length", "cancelled", "timeout", "error", *now.num_finished}):
        count = now.num_finished[reason]
        lines += f'solofile:requests_finished_total{{reason="{reason}"}} {count}\n'
    return lines


def _rate(count: float, seconds: float) -> float:
    return count / seconds if seconds else 0.0
