"""How long to go on with a hub that is busy or breaks off, and the waiting itself."""

import ssl
import time
from collections.abc import Callable
from typing import TypeVar

from builder import console

T = TypeVar("T")
# Before each attempt after the first, where the hub does not say how long to wait.
WAITS_S = (1.0, 2.0, 4.0, 8.0)
# The hub counts requests in windows of five minutes.
MAX_WAIT_S = 300.0
_BUSY = {408, 429, 500, 502, 503, 504}


class Patience:
    """What is left of the attempts and of the time to wait for one request.

    Args:
        was_reached: Whether the hub just answered, so that it will be there again.
    """

    def __init__(self, *, was_reached: bool = False) -> None:
        self._was_reached = was_reached
        self.renew()

    def renew(self) -> None:
        """Begin anew, since there was progress."""
        self._num_attempts = 0
        self._left_s = MAX_WAIT_S

    def wait(self, error: Exception) -> None:
        """Wait before the next attempt, saying so; raise `error` where there should be none."""
        why = _why(error, was_reached=self._was_reached)
        if not why or self._num_attempts == len(WAITS_S):
            raise error
        seconds = asked_to_wait_s(error) or WAITS_S[self._num_attempts]
        self._num_attempts += 1
        self._left_s -= seconds
        if self._left_s < 0:
            raise error
        console.info(f"{why}; trying again in {console.human_seconds(seconds)}.")
        time.sleep(seconds)


def patiently(ask: Callable[[], T]) -> T:
    """Ask the hub something, again while it is busy.

    Raises:
        Exception: What the client library raised last.
    """
    patience = Patience()
    while True:
        try:
            return ask()
        except Exception as error:
            patience.wait(error)


def asked_to_wait_s(error: Exception) -> float:
    """Return how long the hub's answer asks to wait, in seconds; 0 where it does not."""
    from huggingface_hub.errors import HfHubHTTPError
    from huggingface_hub.utils._http import parse_ratelimit_headers

    if not isinstance(error, HfHubHTTPError):
        return 0
    headers = error.response.headers
    limit = parse_ratelimit_headers(headers)
    if error.response.status_code == 429 and limit and not limit.remaining:
        return limit.reset_in_seconds + 1
    text = headers.get("Retry-After", "")
    return float(text) if text.isdecimal() else 0


def is_untrusted(error: BaseException | None) -> bool:
    """Say whether a connection failed since the other side's certificate is not trusted."""
    while error and not isinstance(error, ssl.SSLCertVerificationError):
        error = error.__cause__ or error.__context__
    return error is not None


def _why(error: Exception, *, was_reached: bool) -> str:
    """Return what is wrong, where it may be right in a moment."""
    import httpx2
    from huggingface_hub.errors import HfHubHTTPError

    if isinstance(error, HfHubHTTPError) and error.response.status_code in _BUSY:
        return f"The hub is busy ({error.response.status_code})"
    if isinstance(error, httpx2.ReadTimeout):
        return "The hub fell silent"
    if isinstance(error, httpx2.ReadError | httpx2.RemoteProtocolError):
        return "The connection to the hub broke off"
    is_gone = isinstance(error, httpx2.ConnectError | httpx2.ConnectTimeout)
    if is_gone and was_reached and not is_untrusted(error):
        return "The hub is not reachable"
    return ""
