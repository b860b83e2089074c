"""Making several solofiles: what fails is told, and the others are made."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import msgspec

from builder import console
from builder.make import finish, prepare
from builder.recipe.job import Job
from builder.report import Report
from builder.targets import Target
from runtime.errors import AppError


class Failure(msgspec.Struct, frozen=True):
    """What was not made.

    Args:
        model: What people know the model by.
        targets: What it was to run on.
        error: Why, as a sentence.
        exit_code: What the builder would have ended with, had it been the only one.
    """

    model: str
    targets: list[str]
    error: str
    exit_code: int


class BatchError(AppError):
    """Some of several solofiles were not made; its exit code is that of the first."""

    def __init__(self, failures: Sequence[Failure], num_made: int) -> None:
        names = ", ".join(f"{one.model} for {' and '.join(one.targets)}" for one in failures)
        num_missing = sum(len(one.targets) for one in failures)
        hint = f"Made: {num_made} of {num_made + num_missing}."
        super().__init__(f"Not made: {names}.", hint=hint)
        self.exit_code = failures[0].exit_code


def make_all(
    jobs: Sequence[Job], told: Callable[[list[Report]], None] = lambda _: None
) -> list[Report | Failure]:
    """Make a solofile of each job for each of its targets, fetching and quantizing once.

    Args:
        jobs: What is to be made.
        told: Given the reports of each job as soon as they are there.

    Returns:
        What became of each, in the order of the jobs and their targets.
    """
    results: list[Report | Failure] = []
    taken: set[Path] = set()
    for job in jobs:
        try:
            prepared = prepare(job.order)
        except AppError as error:
            results.append(_failure(job, job.targets, error))
            continue
        made: list[Report] = []
        for target in job.targets:
            try:
                report = finish(replace(job.order, target=target), prepared, taken)
            except AppError as error:
                results.append(_failure(job, [target], error))
                continue
            taken.add(Path(report.path))
            results.append(report)
            made.append(report)
        if made:
            told(made)
    return results


def require_all(results: Sequence[Report | Failure]) -> None:
    """Check that everything was made.

    Raises:
        BatchError: Something was not.
    """
    failures = [one for one in results if isinstance(one, Failure)]
    if failures:
        raise BatchError(failures, len(results) - len(failures))


def _failure(job: Job, targets: list[Target], error: AppError) -> Failure:
    console.error(error.message, error.hint)
    return Failure(job.label, [target.name for target in targets], str(error), error.exit_code)
