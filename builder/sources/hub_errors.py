"""What the hub's client library raises, in the words of this program."""

from collections.abc import Iterator
from contextlib import contextmanager

from builder.console import human_seconds
from builder.errors import SourceError
from builder.sources.patience import asked_to_wait_s, is_untrusted
from builder.vendor.folder import offline_folder

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
        raise (_untrusted() if is_untrusted(error) else _unreachable(repository)) from error
    except httpx2.TimeoutException as error:
        raise SourceError(
            "The hub fell silent.", hint="Run this again; a download goes on where it stopped."
        ) from error
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
    if status == 429:
        when = asked_to_wait_s(error)
        return SourceError(
            f"The hub answered 429 for {repository}: it was asked too often from here.",
            hint=f"Try again {f'in {human_seconds(when)}' if when else 'later'}; with HF_TOKEN set "
            "it allows more.",
        )
    return SourceError(
        f"The hub answered {status} {error.response.reason_phrase} for {repository}.",
        hint="Check HF_TOKEN." if status in (401, 403) else "Try again later.",
    )


def _broken_off(error: Exception) -> SourceError:
    return SourceError(
        f"The connection to the hub broke off: {error}.",
        hint="Run this again; it goes on where it stopped.",
    )


def _untrusted() -> SourceError:
    from huggingface_hub import constants

    return SourceError(
        f"The certificate of {constants.ENDPOINT}, or of what stands before it, is not trusted.",
        hint="Name a file with your network's certificates in SSL_CERT_FILE.",
    )


def _unreachable(repository: str) -> SourceError:
    from huggingface_hub import constants

    if offline := offline_folder():
        return SourceError(
            f"The builder is offline, and neither {offline.path} nor the hub's cache holds "
            f"{repository}.",
            hint=f"Where there is a network, `vendor DIR --source hf:{repository}` puts it in.",
        )
    return SourceError(
        f"The hub at {constants.ENDPOINT} is not reachable, and its cache does not hold "
        f"{repository}.",
        hint="Check the network, or name a GGUF file on this machine.",
    )
