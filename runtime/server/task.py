"""What a request asks of the engine, whatever dialect it came in."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from msgspec.structs import replace

from runtime.chat.conversation import Conversation
from runtime.chat.formats.output_format import OutputFormat, OutputReader
from runtime.chat.tools import NO_TOOLS
from runtime.engine.image_span import Prompt
from runtime.engine.sampling.params import SamplingParams
from runtime.engine.sequence import GenerationRequest
from runtime.errors import RequestError
from runtime.server.state import ServerState

MAX_CHOICES = 16
# No real conversation has so many, and all requests wait while a template renders them.
MAX_MESSAGES = 10_000


class GenerationOptions(msgspec.Struct, frozen=True, kw_only=True):
    """How answers are generated; what a request leaves out, the settings and the model say.

    Args:
        sampling: What is asked for, by field of `SamplingParams`; a grammar, too.
        max_tokens: How many to generate at most; None or a negative number is no limit.
        stop: Strings at which to stop.
        num_choices: How many answers to generate.
        num_top_logprobs: See `GenerationRequest`.
        lora: See `GenerationRequest`.
        n_keep: See `GenerationRequest`; counts only where the server lets contexts forget.
        max_generation_s: See `GenerationRequest`.
        tells_progress: See `GenerationRequest`.
    """

    sampling: Mapping[str, Any] = {}
    max_tokens: int | None = None
    stop: tuple[str, ...] = ()
    num_choices: int = 1
    num_top_logprobs: int | None = None
    lora: Mapping[int, float] | None = None
    n_keep: int | None = None
    max_generation_s: float | None = None
    tells_progress: bool = False


class Task(msgspec.Struct, frozen=True):
    """One request's work for the engine.

    Args:
        requests: One for each answer.
        make_reader: Makes what reads one answer.
    """

    requests: tuple[GenerationRequest, ...]
    make_reader: Callable[[], OutputReader]

    @property
    def prompt(self) -> list[int]:
        """The prompt's token ids."""
        return self.requests[0].prompt


def chat_task(state: ServerState, conversation: Conversation, options: GenerationOptions) -> Task:
    """Return the task of answering a conversation.

    Raises:
        RequestError: The conversation or an option cannot be used.
    """
    if len(conversation.messages) > MAX_MESSAGES:
        raise RequestError(
            f"There are {len(conversation.messages)} messages, and no more than {MAX_MESSAGES} "
            "are taken."
        )
    sampling = options.sampling
    if not sampling.get("grammar_lazy"):
        conversation = replace(conversation, grammar=sampling.get("grammar", ""))
    prompt = state.chat_format.prompt(conversation)
    return Task(
        _requests(
            state,
            replace(options, sampling={**sampling, **prompt.constraint}),
            Prompt(prompt.tokens, prompt.images),
            prompt.shown_tokens,
        ),
        prompt.make_reader,
    )


def text_task(state: ServerState, prompt: list[int], options: GenerationOptions) -> Task:
    """Return the task of continuing a prompt.

    Raises:
        RequestError: An option cannot be used.
    """
    reads_plainly = OutputFormat()
    return Task(
        _requests(state, options, Prompt(prompt)), lambda: reads_plainly.reader("", NO_TOOLS)
    )


def text_tasks(state: ServerState, prompts: list[list[int]], options: GenerationOptions) -> Task:
    """Return the task of continuing several prompts; the answers to one follow one another.

    Raises:
        RequestError: An option cannot be used.
    """
    tasks = [text_task(state, prompt, options) for prompt in prompts]
    requests = tuple(request for task in tasks for request in task.requests)
    return Task(requests, tasks[0].make_reader)


def _requests(
    state: ServerState,
    options: GenerationOptions,
    prompt: Prompt,
    shown_tokens: frozenset[int] = frozenset(),
) -> tuple[GenerationRequest, ...]:
    if not 1 <= options.num_choices <= MAX_CHOICES:
        raise RequestError(f"n is {options.num_choices}, and must lie from 1 to {MAX_CHOICES}.")
    request = GenerationRequest(
        prompt=prompt.tokens,
        sampling=state.sampling_params(options.sampling),
        max_tokens=state.allowed_tokens(options.max_tokens),
        stop=options.stop,
        num_top_logprobs=options.num_top_logprobs,
        lora=options.lora,
        n_keep=state.kept_tokens(options.n_keep),
        timeout_s=state.timeout_s,
        max_generation_s=options.max_generation_s,
        shown_tokens=shown_tokens,
        images=prompt.images,
        tells_progress=options.tells_progress,
    )
    return tuple(
        replace(request, sampling=_of_choice(request.sampling, index))
        for index in range(options.num_choices)
    )


def _of_choice(sampling: SamplingParams, index: int) -> SamplingParams:
    """Return a choice's parameters: with one seed for all, all choices would be the same."""
    return sampling if sampling.seed is None else replace(sampling, seed=sampling.seed + index)
