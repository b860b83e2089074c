"""The root of every error a user can act on, and the runtime's own failures."""


class AppError(Exception):
    """A failure with one sentence for the user and, where one helps, a hint.

    Args:
        message: What failed and why, as one sentence.
        hint: What to do next, as one sentence, or empty.
    """

    exit_code = 1

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()


class UsageError(AppError):
    """The command line, a settings file or an environment variable asks for something unusable."""

    exit_code = 2


class DamagedFileError(AppError):
    """A solofile or model file is cut short, altered, or not what it should be."""

    exit_code = 3


class UnsupportedError(AppError):
    """The file is sound but this version or machine cannot use it."""

    exit_code = 4


class ResourceError(AppError):
    """The machine has not enough memory, disk space, or a free port."""

    exit_code = 5


class RequestError(AppError):
    """A request to the engine or the server asks for something that cannot be done."""
