"""What a build of one model for several systems tells at its end."""

from collections.abc import Sequence

from builder.report import Report, table

# What differs between the solofiles of one model.
_PER_FILE = {"Solofile", "Size", "Runs on", "Made in", "First word after", "Run it"}


def overview(reports: Sequence[Report]) -> str:
    """Return the reports on a model's solofiles for people: a line for each, and the model's once.

    Args:
        reports: One at least.
    """
    if len(reports) == 1:
        return reports[0].as_text()
    files = [("Solofile", report.as_line()) for report in reports]
    model = [line for line in reports[0].lines() if line[0] not in _PER_FILE]
    return table([*files, *model])
