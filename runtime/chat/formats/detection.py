"""Which format a model writes, as its chat template tells."""

from runtime.chat.formats.output_format import OutputFormat


def output_format(template: str) -> OutputFormat:
    """Return the format of the models that a template is for.

    Args:
        template: The template's jinja source.
    """
    return OutputFormat()
