"""What the hub's client library raises, in the words of this program."""

from collections.abc import Iterator
from contextlib import contextmanager

from builder.errors import SourceError


@contextmanager
def explained_hub_errors(repository: str, revision: str = "") -> Iterator[None]:
    """Turn what the hub's client raises about a repository into one clear sentence.

    Raises:
        SourceError: Whatever failed; the client's own error is its cause.
    """
    import httpx2
    from huggingface_hub import errors

    try:
        yield
    except errors.GatedRepoError as error:
        raise SourceError(
            f"The hub gives {repository} only to people who accepted its terms.",
            hint="Accept them on its page, then set HF_TOKEN or run `hf auth login`.",
        ) from error
    except errors.RepositoryNotFoundError as error:
        raise SourceError(
            f"The hub has no repository {repository}, or it is private.",
            hint="Check its spelling; for a private one set HF_TOKEN or run `hf auth login`.",
        ) from error
    except errors.RevisionNotFoundError as error:
        raise SourceError(f"{repository} has no revision {revision}.") from error
    except errors.HfHubHTTPError as error:
        status = error.response.status_code
        raise SourceError(
            f"The hub answered {status} {error.response.reason_phrase} for {repository}.",
            hint="Check HF_TOKEN." if status in (401, 403) else "Try again later.",
        ) from error
    except errors.HFValidationError as error:
        raise SourceError(f"{repository} cannot be the name of a repository.") from error
    except (httpx2.ProxyError, httpx2.ConnectError, httpx2.ConnectTimeout) as error:
        raise _unreachable(repository) from error
    except (errors.OfflineModeIsEnabled, errors.LocalEntryNotFoundError) as error:
        raise _unreachable(repository) from error
    except (httpx2.HTTPError, errors.XetDownloadError) as error:
        raise SourceError(
            f"The connection to the hub broke off: {error}.",
            hint="Run this again; it goes on where it stopped.",
        ) from error


def _unreachable(repository: str) -> SourceError:
    from huggingface_hub import constants

    return SourceError(
        f"The hub at {constants.ENDPOINT} is not reachable, and its cache does not hold "
        f"{repository}.",
        hint="Check the network, or name a GGUF file on this machine.",
    )
