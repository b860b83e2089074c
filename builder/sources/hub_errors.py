"""What the hub's client library raises, in the words of this program."""

from collections.abc import Iterator
from contextlib import contextmanager

from builder.errors import SourceError

LOG_IN = "set HF_TOKEN or run `hf auth login`."


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
    except errors.HfHubHTTPError as error:
        raise _refused(error, repository, revision) from error
    except errors.HFValidationError as error:
        raise SourceError(f"{repository} cannot be the name of a repository.") from error
    except (
        httpx2.ProxyError,
        httpx2.ConnectError,
        httpx2.ConnectTimeout,
        errors.OfflineModeIsEnabled,
        errors.LocalEntryNotFoundError,
    ) as error:
        raise _unreachable(repository) from error
    except (httpx2.HTTPError, errors.XetDownloadError) as error:
        raise _broken_off(error) from error
    except OSError as error:
        if error.errno is None:  # What the library raises by itself, for a file too short.
            raise _broken_off(error) from error
        raise
    except (ValueError, KeyError, TypeError) as error:
        raise SourceError(
            f"What answered for {repository} is not the hub: its answer makes no sense.",
            hint="Check HF_ENDPOINT, and whether this network wants a login first.",
        ) from error


def _refused(error: Exception, repository: str, revision: str) -> SourceError:
    from huggingface_hub import errors

    assert isinstance(error, errors.HfHubHTTPError), "the caller caught one"
    if isinstance(error, errors.GatedRepoError):
        return SourceError(
            f"The hub gives {repository} only to people who accepted its terms.",
            hint=f"Accept them on its page, then {LOG_IN}",
        )
    if isinstance(error, errors.RepositoryNotFoundError):
        return SourceError(
            f"The hub has no repository {repository}, or it is private.",
            hint=f"Check its spelling; for a private one {LOG_IN}",
        )
    if isinstance(error, errors.RevisionNotFoundError):
        return SourceError(f"{repository} has no revision {revision}.")
    status = error.response.status_code
    return SourceError(
        f"The hub answered {status} {error.response.reason_phrase} for {repository}.",
        hint="Check HF_TOKEN." if status in (401, 403) else "Try again later.",
    )


def _broken_off(error: Exception) -> SourceError:
    return SourceError(
        f"The connection to the hub broke off: {error}.",
        hint="Run this again; it goes on where it stopped.",
    )


def _unreachable(repository: str) -> SourceError:
    from huggingface_hub import constants

    return SourceError(
        f"The hub at {constants.ENDPOINT} is not reachable, and its cache does not hold "
        f"{repository}.",
        hint="Check the network, or name a GGUF file on this machine.",
    )
