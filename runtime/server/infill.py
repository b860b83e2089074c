"""Prompts that ask for what fills a gap, for models with fill-in-the-middle tokens."""

import msgspec

from runtime.engine.engine import Engine
from runtime.engine.model import InfillTokens, Model
from runtime.server.errors import NotSupportedError

# What stands in a name's place where a request brings none, as in llama-server.
_REPOSITORY = "myproject\n"
_CURRENT_FILE = "filename\n"
# What parts files from one another for models without a token for that, the same there.
_SNIPPET = "\n\n--- snippet ---\n\n"


# The tokens around the parts, and one that begins.
_NUM_MARKS = 4


class Snippet(msgspec.Struct):
    """A part of another file, which helps to see what fits."""

    text: str
    filename: str = "tmp"


class Room(msgspec.Struct, frozen=True):
    """How much of what is known fits into a prompt.

    Args:
        num_around: Tokens around the gap at most: of before it three quarters, the rest of behind.
        num_all: Tokens of the whole prompt at most.
    """

    num_around: int
    num_all: int


def room_for(engine: Engine, max_tokens: int | None) -> Room:
    """Return the room for a prompt.

    Args:
        engine: Whose context it goes into; around the gap is taken what fits a batch.
        max_tokens: What may be generated; None or a negative number leaves it a quarter.
    """
    n_ctx = engine.n_ctx
    asked = n_ctx // 4 if max_tokens is None or max_tokens < 0 else max_tokens
    num_all = n_ctx - min(asked, n_ctx // 2)
    return Room(min(engine.n_batch, num_all), num_all)


def infill_tokens(model: Model) -> InfillTokens:
    """Return the tokens with which a model fills gaps.

    Raises:
        NotSupportedError: It lacks them.
    """
    if model.infill_tokens is None:
        raise NotSupportedError(
            "Infill is not supported by this model: prefix, suffix or middle token is missing."
        )
    return model.infill_tokens


def infill_prompt(
    model: Model,
    *,
    prefix: list[int],
    suffix: list[int],
    begun: list[int],
    snippets: list[Snippet] | None,
    room: Room,
) -> list[int]:
    """Return the prompt that asks for what is between two texts.

    Args:
        model: Whose tokens they are.
        prefix: Token ids of what comes before the gap; its end is kept where it is too long.
        suffix: Those of what comes after it; its beginning is kept.
        begun: Those of what fills the gap as far as it is known.
        snippets: Parts of other files; None leaves out that there are files at all.
        room: How much fits.

    Raises:
        NotSupportedError: The model lacks tokens for it.
    """
    tokens = infill_tokens(model)
    quarter = room.num_around // 4
    around = [
        *model.begin_tokens,
        tokens.prefix,
        *prefix[max(0, len(prefix) - 3 * quarter + _NUM_MARKS) :],
        *begun,
        tokens.suffix,
        *suffix[: max(0, quarter - _NUM_MARKS - len(begun))],
        tokens.middle,
    ]
    extra = [] if snippets is None else _extra(model, tokens, snippets)
    return [*extra[max(0, len(extra) - max(0, room.num_all - len(around))) :], *around]


def _extra(model: Model, tokens: InfillTokens, snippets: list[Snippet]) -> list[int]:
    """Return the other files, in the form of models that know whole repositories."""
    extra: list[int] = []
    if tokens.repository is not None:
        extra += [tokens.repository, *_text(model, _REPOSITORY)]
    for snippet in snippets:
        if tokens.file is None:
            extra += _text(model, _SNIPPET)
        else:
            extra += [tokens.file, *_text(model, f"{snippet.filename}\n")]
        extra += _text(model, snippet.text)
    if tokens.file is not None:
        extra += [tokens.file, *_text(model, _CURRENT_FILE)]
    return extra


def _text(model: Model, text: str) -> list[int]:
    return model.tokenize(text, add_special=False, parse_special=False)
