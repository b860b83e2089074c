"""The engine's counters by the names of text-generation-inference; of all dialects' requests."""

from runtime.engine.metrics import Metrics
from runtime.server.prometheus import head, histogram, metric

_PREFIX = "tgi_"


def tgi_metrics_text(now: Metrics) -> str:
    """Return them in Prometheus' text format."""
    num_finished = now.num_finished
    num_failed = num_finished["error"] + num_finished["timeout"]
    num_succeeded = num_finished["stop"] + num_finished["length"]
    num_requests = num_finished.total() + now.num_running + now.num_waiting
    failure = "tgi_request_failure"
    return "".join(
        [
            metric(_PREFIX, "counter", "request_count", "Requests that came", num_requests),
            metric(_PREFIX, "counter", "request_success", "Requests answered", num_succeeded),
            head(failure, "counter", "Requests that failed"),
            f'{failure}{{err="generation"}} {num_failed}\n',
            metric(_PREFIX, "gauge", "queue_size", "Requests that wait", now.num_waiting),
            metric(_PREFIX, "gauge", "batch_current_size", "Requests in work", now.num_running),
            *(
                histogram(_PREFIX, f"request_{name}", meaning, values)
                for name, meaning, values in (
                    ("duration", "Seconds from arrival to end", now.answer_s),
                    ("queue_duration", "Seconds until the first batch", now.queue_s),
                    (
                        "mean_time_per_token_duration",
                        "Seconds a token, on average",
                        now.time_per_token_s,
                    ),
                    ("input_length", "Tokens in a prompt", now.prompt_lengths),
                    ("generated_tokens", "Tokens in an answer", now.answer_lengths),
                )
            ),
        ]
    )
