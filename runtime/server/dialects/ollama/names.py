"""Names of models as Ollama has them: of one tag or another, without spaces."""

import re

_LATEST = ":latest"
_FORBIDDEN = re.compile(r"[^\w./:-]+")


def full_name(name: str) -> str:
    """Return the model's name as Ollama lists it."""
    plain = _FORBIDDEN.sub("-", name).strip("-")
    return plain if ":" in plain else plain + _LATEST


def called(asked: str, name: str) -> str:
    """Return the name to answer with: what the client calls the one model, else its own."""
    return asked or full_name(name)


def is_own(asked: str, name: str) -> bool:
    """Say whether a client means the model by its own name."""
    return full_name(asked).lower() == full_name(name).lower()
