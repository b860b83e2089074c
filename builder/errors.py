"""Failures of the build machine, on the root the runtime shares."""

from runtime.errors import AppError


class SourceError(AppError):
    """A model source is unknown, unreachable, or does not hold what was asked for."""

    exit_code = 6


class ToolError(AppError):
    """A tool the build needs is missing or failed."""

    exit_code = 7


class DiskError(AppError):
    """A file could not be written."""

    exit_code = 5


class LicenceError(AppError):
    """A licence forbids what would be done, and nobody has accepted that."""

    exit_code = 8
