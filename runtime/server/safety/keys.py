"""API keys: where they come from, and which requests need one."""

import hashlib
import hmac
from collections.abc import Collection, Iterator
from pathlib import Path

from starlette.types import Scope

from runtime.errors import UsageError
from runtime.server.safety.refusal import Refusal, header

# As in llama-server whether it runs, and the chat page, which asks for the key itself; and what
# the API is like, for browsers, which could not send one.
PUBLIC_PATHS = frozenset({"/", "/health", "/ping", "/v1/health", "/docs", "/openapi.json"})
PUBLIC_FOLDER = "/page/"

# OpenAI's, Anthropic's, and that of OpenAI's clients for Azure.
_KEY_HEADERS = (b"authorization", b"x-api-key", b"api-key")
_SCHEME = "bearer "

_REFUSAL = Refusal(
    401,
    "authentication_error",
    "The API key is missing or wrong. Send it as Authorization: Bearer KEY or X-Api-Key: KEY.",
    ((b"www-authenticate", b"Bearer"),),
)


def read_keys(given: str, file: str) -> tuple[str, ...]:
    """Return all keys that the settings name.

    Args:
        given: Keys between commas; may be empty.
        file: A file with one key a line, where `#` begins a comment; may be empty.

    Raises:
        UsageError: A key cannot be sent in a header, or the file cannot be read or has none.
    """
    keys = [key for part in given.split(",") if (key := part.strip())]
    if given and not keys:
        raise UsageError("--api-key names no key.", hint="Give one, or leave it out.")
    if file:
        keys += _read_file(Path(file))
    if not all(key.isascii() and key.isprintable() for key in keys):
        raise UsageError("An API key has characters that no header can carry.", hint="Use ASCII.")
    return tuple(keys)


def _read_file(path: Path) -> list[str]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = (error.strerror or str(error)) if isinstance(error, OSError) else "it is no text"
        raise UsageError(
            f"--api-key-file cannot read {path}: {reason}.", hint="Put one key on each line."
        ) from error
    keys = [key for line in lines if (key := line.strip()) and not key.startswith("#")]
    if not keys:
        raise UsageError(f"--api-key-file {path} holds no key.", hint="Put one key on each line.")
    return keys


class KeyCheck:
    """Refuses requests without one of the keys.

    Digests are compared, so that the time tells neither a key's length nor what of it is right.
    """

    def __init__(self, keys: Collection[str]) -> None:
        self._digests = [_digest(key) for key in keys]

    def __call__(self, scope: Scope) -> Refusal | None:
        """Return a refusal for a request that needs a key and has none of ours."""
        if _is_public(scope):
            return None
        is_ours = False
        for key in _sent_keys(scope):
            digest = _digest(key)
            for own in self._digests:
                is_ours |= hmac.compare_digest(digest, own)
        return None if is_ours else _REFUSAL


def _is_public(scope: Scope) -> bool:
    # Posted to, the page's path generates text.
    path = scope["path"]
    is_read = scope["method"] in ("GET", "HEAD")
    return is_read and (path in PUBLIC_PATHS or path.startswith(PUBLIC_FOLDER))


def _sent_keys(scope: Scope) -> Iterator[str]:
    for name in _KEY_HEADERS:
        value = header(scope, name)
        if value is not None:
            is_bearer = value[: len(_SCHEME)].lower() == _SCHEME
            yield value[len(_SCHEME) :].strip() if is_bearer else value


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode()).digest()
