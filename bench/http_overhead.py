"""What the HTTP layer costs over the engine: for each request, and for each streamed token.

`python -m bench.http_overhead` asks the demo's solofile over HTTP and the same engine in this
process, in turn, with the same prompt out of the prefix cache. For each token it compares the two;
for each request, what the client waits for its first text with what the engine says that took.
"""

import argparse
import queue
import statistics
import sys
import time
from dataclasses import dataclass

from bench.client import ask, messages
from bench.demo_engine import demo_engine
from bench.process import running
from bench.servers import Sizes, solofile
from builder.native.llamacpp import expose_binding
from runtime.chat.conversation import ChatFormat, Conversation
from runtime.engine.engine import Engine
from runtime.engine.sampling.params import SamplingParams
from runtime.engine.sequence import Event, Finished, GenerationRequest, TextDelta

N_CTX = 2048
NUM_TOKENS = 128
# A short answer shows what a request costs, next to which its tokens cost little.
NUM_TOKENS_OF_SHORT = 2
CONVERSATION = messages("Describe a walk through an old town.")


@dataclass(frozen=True, slots=True)
class Times:
    """One answer, in seconds.

    Args:
        before_first_text: From the request to its first text, less the engine's part of it.
        each_token: From the first text to the last, for each.
    """

    before_first_text: float
    each_token: float


def main() -> None:
    """Measure and print both differences."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    expose_binding()
    server = solofile()
    server.program.extend(["--spec-type", "none"])
    sizes = Sizes(num_clients=4, n_ctx_per_client=N_CTX // 4, n_threads=options.threads)
    with (
        demo_engine(n_ctx=N_CTX, n_threads=options.threads, spec_type="none") as engine,
        running(server, sizes) as process,
    ):

        def over_http(num_tokens: int) -> Times:
            answer = ask(process, CONVERSATION, num_tokens)
            engine_s = answer.timings["time_to_first_token_ms"] / 1e3
            return _times(answer.sent, answer.arrivals, engine_s)

        def pairs(num_tokens: int, rounds: int) -> list[tuple[Times, Times]]:
            asked = [(over_http(num_tokens), _ask(engine, num_tokens)) for _ in range(rounds + 1)]
            # The first ones compute the prompt.
            return asked[1:]

        long = pairs(NUM_TOKENS, options.rounds)
        short = pairs(NUM_TOKENS_OF_SHORT, 5 * options.rounds)
    _print("each token", [(http.each_token, direct.each_token) for http, direct in long])
    _print(
        "each request, beside the engine's time",
        [(http.before_first_text, direct.before_first_text) for http, direct in short],
    )


def _print(what: str, pairs: list[tuple[float, float]]) -> None:
    http, direct = (statistics.median(side) * 1e3 for side in zip(*pairs, strict=True))
    extra = statistics.median(http - direct for http, direct in pairs) * 1e3
    sys.stdout.write(f"{what}: {http:.2f} ms over HTTP, {direct:.2f} ms in one process, ")
    sys.stdout.write(f"{extra:+.2f} ms (median of {len(pairs)} pairs)\n")


def _ask(engine: Engine, num_tokens: int) -> Times:
    prompt = ChatFormat(engine.model).prompt(Conversation([dict(one) for one in CONVERSATION]))
    request = GenerationRequest(
        prompt.tokens, SamplingParams(temperature=0, ignore_eos=True), max_tokens=num_tokens
    )
    events: queue.Queue[Event] = queue.Queue()
    sent = time.monotonic()
    engine.submit(request, events.put)
    arrivals = []
    while isinstance(event := events.get(), TextDelta):
        arrivals.append(time.monotonic())
    assert isinstance(event, Finished), "nothing here can fail"
    return _times(sent, arrivals, event.stats.time_to_first_token_s)


def _times(sent: float, arrivals: list[float], engine_s: float) -> Times:
    each_token = (arrivals[-1] - arrivals[0]) / max(1, len(arrivals) - 1)
    return Times(arrivals[0] - sent - engine_s, each_token)


if __name__ == "__main__":
    main()
