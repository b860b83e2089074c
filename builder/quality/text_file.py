"""A text to calibrate with or to measure a model on."""

from pathlib import Path

from runtime.errors import UsageError


def read_text(path: Path) -> str:
    """Return the text in a file.

    Raises:
        UsageError: There is no such file, or it is no text.
    """
    if not path.is_file():
        raise UsageError(f"There is no text {path}.", hint="Name a text file in UTF-8.")
    try:
        return path.read_text(encoding="utf-8").rstrip("\n")
    except UnicodeDecodeError as error:
        raise UsageError(
            f"{path} is no text in UTF-8: byte {error.start} fits in nowhere.",
            hint="Save it as UTF-8.",
        ) from error
