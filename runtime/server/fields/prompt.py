"""Prompts in a body: texts, token ids, or both mixed, one or several."""

import msgspec

from runtime.engine.model import Model
from runtime.errors import RequestError
from runtime.server.json import Integer

MAX_PROMPTS = 128

# A text, or texts and token ids in a row.
Mixed = str | list[str | Integer]


class PromptObject(msgspec.Struct):
    """A prompt as llama-server takes it for models that see or hear."""

    prompt_string: Mixed
    multimodal_data: list[str] | None = None


# One prompt, or several: a list with a token id in it is one.
Prompt = str | list[str | Integer | list[str | Integer] | PromptObject] | PromptObject


def prompts_tokens(prompt: Prompt, model: Model) -> list[list[int]]:
    """Return the token ids of each prompt.

    Raises:
        RequestError: There is none, there are too many, or a part cannot be used.
    """
    if not isinstance(prompt, list):
        return [_prompt_tokens(prompt, model)]
    mixed = [item for item in prompt if isinstance(item, str | int)]
    if any(isinstance(item, int) for item in mixed):
        if len(mixed) < len(prompt):
            raise RequestError("prompt mixes token ids with whole prompts.")
        return [mixed_tokens(mixed, model, add_special=True, parse_special=True)]
    if not prompt:
        raise RequestError('"prompt" must not be empty')
    if len(prompt) > MAX_PROMPTS:
        raise RequestError(f"There are {len(prompt)} prompts, and at most {MAX_PROMPTS} may be.")
    return [_prompt_tokens(item, model) for item in prompt if not isinstance(item, int)]


def mixed_tokens(
    mixed: Mixed, model: Model, *, add_special: bool, parse_special: bool
) -> list[int]:
    """Return the token ids of texts and token ids in a row.

    Args:
        mixed: The texts and ids.
        model: Whose tokens they become.
        add_special: Add what the model wants around a text, if a text comes first.
        parse_special: Read names of special tokens in texts as those tokens.

    Raises:
        RequestError: The model has no such token.
    """
    tokens: list[int] = []
    for index, item in enumerate([mixed] if isinstance(mixed, str) else mixed):
        if isinstance(item, str):
            adds = add_special and index == 0
            tokens += model.tokenize(item, add_special=adds, parse_special=parse_special)
        else:
            tokens.append(item)
    check_tokens(tokens, model)
    return tokens


def check_tokens(tokens: list[int], model: Model) -> None:
    """Check that the model has tokens of these ids.

    Raises:
        RequestError: It lacks one.
    """
    for token in tokens:
        if not 0 <= token < model.n_vocab:
            raise RequestError(
                f"There is no token {token}; the model's are 0 to {model.n_vocab - 1}."
            )


def _prompt_tokens(prompt: Mixed | PromptObject, model: Model) -> list[int]:
    if isinstance(prompt, PromptObject):
        if prompt.multimodal_data:
            raise RequestError("This model takes no images or sounds.", hint="Send text alone.")
        prompt = prompt.prompt_string
    return mixed_tokens(prompt, model, add_special=True, parse_special=True)
