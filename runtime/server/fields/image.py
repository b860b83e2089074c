"""Images in requests' bodies: bytes in base64, since nothing is fetched for a client."""

import binascii

from runtime.errors import RequestError


def image_of_url(url: str) -> bytes:
    """Return the file in a `data:` URL.

    Raises:
        RequestError: It is another URL, or not in base64.
    """
    head, _, data = url.partition(",")
    if head[:5].lower() != "data:":
        raise RequestError(
            "An image's URL is no data: URL, and nothing is fetched for clients.",
            hint="Send the image itself, as in data:image/png;base64,....",
        )
    if not head.lower().endswith(";base64"):
        raise RequestError("An image's data: URL is not in base64.")
    return image_of_base64(data)


def image_of_base64(text: str) -> bytes:
    """Return the file.

    Raises:
        RequestError: It is no base64.
    """
    try:
        return binascii.a2b_base64("".join(text.split()), strict_mode=True)
    except ValueError as error:
        raise RequestError(f"An image is no base64: {error}.") from error
