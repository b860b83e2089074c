"""A file that goes with a message: a text, or an image."""

from pathlib import Path

from runtime.chat.images import Content, image_part, text_part
from runtime.engine.image_file import check_kind
from runtime.errors import RequestError

FENCE = "```"


def read_attachment(path: Path, *, takes_images: bool) -> Content:
    """Return a file as content of a message.

    Raises:
        RequestError: It cannot be read, is neither a text nor an image, or is an image that the
            model cannot see.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise RequestError(f"{path} cannot be read: {error.strerror}.") from error
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return _image(path, data, takes_images=takes_images)
    if "\0" in text:
        raise RequestError(f"{path} is no text.", hint="Attach UTF-8 texts and images.")
    return f"{path.name}:\n{_fence(text)}"


def _image(path: Path, data: bytes, *, takes_images: bool) -> Content:
    try:
        check_kind(data)
    except RequestError as error:
        raise RequestError(
            f"{path} is neither a text in UTF-8 nor an image that is read.",
            hint="Attach a text, PNG, JPEG, GIF or BMP.",
        ) from error
    if not takes_images:
        raise RequestError(f"{path} is an image, and this model sees none.")
    return [text_part(f"{path.name}:\n"), image_part(data)]


def _fence(text: str) -> str:
    """Return a text between marks that are longer than any in it."""
    mark = FENCE
    while mark in text:
        mark += "`"
    return f"{mark}\n{text.rstrip()}\n{mark}\n"
