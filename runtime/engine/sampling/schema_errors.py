"""Why a JSON schema cannot become a grammar."""

from runtime.errors import RequestError


class SchemaError(RequestError):
    """A schema is wrong, or asks for what is not supported.

    Args:
        path: Where in the schema, as a JSON pointer.
        reason: Why, as a clause.
    """

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"The JSON schema cannot be used: at {_shortened(path)}, {reason}.")


class ImpossibleError(SchemaError):
    """Nothing satisfies a schema; what offers it as one of several ways goes on without it."""


def _shortened(path: str) -> str:
    return path if len(path) <= 200 else f"{path[:200]}..."
