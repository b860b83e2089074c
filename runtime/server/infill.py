"""Prompts that ask for what fills a gap, for models with fill-in-the-middle tokens."""

import msgspec

from runtime.engine.model import InfillTokens, Model
from runtime.server.errors import NotSupportedError

# What stands in a name's place where a request brings none, as in llama-server.
_REPOSITORY = "myproject\n"
_CURRENT_FILE = "filename\n"
# What parts files from one another for models without a token for that, the same there.
_SNIPPET = "\n\n--- snippet ---\n\n"


class Snippet(msgspec.Struct):
    """A part of another file, which helps to see what fits."""

    text: str
    filename: str = "tmp"


class Room(msgspec.Struct, frozen=True):
    """How much of the text around a gap fits.

    Args:
        n_batch: Tokens around the gap at most: of before it three quarters, of behind it the rest.
        num_extra: Tokens of other files at most.
    """

    n_batch: int
    num_extra: int


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
    snippets: list[Snippet],
    room: Room,
) -> list[int]:
    """Return the prompt that asks for what is between two texts.

    Args:
        model: Whose tokens they are.
        prefix: Token ids of what comes before the gap; its end is kept where it is too long.
        suffix: Those of what comes after it; its beginning is kept.
        begun: Those of what fills the gap as far as it is known.
        snippets: Parts of other files.
        room: How much fits.

    Raises:
        NotSupportedError: The model lacks tokens for it.
    """
    tokens = infill_tokens(model)
    quarter = room.n_batch // 4
    suffix = suffix[: max(0, quarter - 2 - len(begun))]
    extra = _extra(model, tokens, snippets)
    return [
        *extra[max(0, len(extra) - room.num_extra) :],
        *model.begin_tokens,
        tokens.prefix,
        *prefix[max(0, len(prefix) - 3 * quarter) :],
        *begun,
        tokens.suffix,
        *suffix,
        tokens.middle,
    ]


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
