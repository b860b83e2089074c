"""Tokens as text-generation-inference tells them of a text: with where they stand in it."""

from typing import Any

from runtime.engine.model import Model


def simple_tokens(model: Model, text: str, tokens: list[int]) -> list[dict[str, Any]]:
    """Return tokens with the characters of a text that they stand for, from `start` to `stop`.

    A token that is a part of a character stands for all of it; one that is not from the text, such
    as the one that begins a sequence, stands at its border.
    """
    pieces = [model.special_piece(token) for token in tokens]
    data = text.encode()
    char_of = [index for index, char in enumerate(text) for _ in char.encode()]
    # Some models put a token or a blank before each text.
    end = -max(0, b"".join(pieces).find(data))
    told, stop = [], 0
    for token, piece in zip(tokens, pieces, strict=True):
        begin, end = max(0, end), end + len(piece)
        own = char_of[begin : max(0, end)]
        start = own[0] if own else stop
        stop = own[-1] + 1 if own else stop
        told.append({"id": token, "text": text[start:stop], "start": start, "stop": stop})
    return told
